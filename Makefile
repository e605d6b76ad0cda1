# Callwright. `make` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 18

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[models,sip,ray,dev]' --constraint constraints.txt
	@touch $@

PYTEST := $(BIN)/python -m pytest
STORING := tests/assist tests/cli tests/journeys tests/runtime tests/server tests/store

.PHONY: help setup system demo test check unit live rest test-postgresql fuzz contract bench fixtures docs screens
setup: .venv/.ready ## make .venv with everything that demo and test need

system: ## install the system packages that voices and browser tests need, where we may
	@sh deploy/system-packages.sh

demo: setup system ## recorded callers call the demo bank; then talk to it yourself in the browser
	$(BIN)/callwright demo $(ARGS)

check: setup ## formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

unit: setup rest live ## the tests alone: on two cores what needs no real time, then the others one after the other

live: ## those that keep real time, with the machine for themselves (tests/conftest.py says which, and why)
	$(PYTEST) -m live --durations=25

rest: ## all others
	$(PYTEST) -m "not live" -n 2 --dist loadfile --durations=25

test-postgresql: setup system ## what uses a database, on PostgreSQL; make test proves on both what could differ
	$(PYTEST) --database postgresql -m "not live" -n 2 --dist loadfile $(STORING)
	$(PYTEST) --database postgresql -m live $(STORING)

test: setup system check unit ## everything CI asks for

fuzz: setup ## every parser of strangers' bytes, led by what it reaches (ARGS='--seconds 600 twilio')
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]' --constraint constraints.txt
	$(BIN)/python -m tests.fuzz $(ARGS)

contract: setup ## the API asked by its own description: 200 examples of each operation, half of which don't fit it
	CONTRACT_EXAMPLES=$(or $(EXAMPLES),200) $(BIN)/python -m pytest -n0 tests/server/test_api_contract.py

bench: setup ## latency on this machine (ARGS='--calls 10')
	$(BIN)/callwright bench latency $(ARGS)

fixtures: setup ## make audio_fixtures/ anew
	$(BIN)/python -m audio_fixtures.generate

docs: setup ## write the generated pages anew
	$(BIN)/python docs/generate.py

screens: setup ## take the pictures of the console's pages anew, into docs/screens
	$(BIN)/python -m tests.screens $(ARGS)
