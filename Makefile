# Callwright. `make` lists the targets.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  \1\t\2/' | expand -t 14

.venv/.ready: pyproject.toml constraints.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[models,sip,ray,dev]' --constraint constraints.txt
	@touch $@

.PHONY: help setup system demo test check unit fuzz bench fixtures docs screens
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

unit: setup ## the tests alone: on two cores what needs no real time, then the rest one after the other
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not live" --durations=15
	$(BIN)/python -m pytest -m live --durations=25

test: setup system check unit ## everything CI asks for

fuzz: setup ## every parser of strangers' bytes, led by what it reaches (ARGS='--seconds 600 twilio')
	$(BIN)/python -m pip install --quiet --editable '.[fuzz]' --constraint constraints.txt
	$(BIN)/python -m tests.fuzz $(ARGS)

bench: setup ## latency on this machine (ARGS='--calls 10')
	$(BIN)/callwright bench latency $(ARGS)

fixtures: setup ## make audio_fixtures/ anew
	$(BIN)/python -m audio_fixtures.generate

docs: setup ## write the generated pages anew
	$(BIN)/python docs/generate.py

screens: setup ## take the pictures of the console's pages anew, into docs/screens
	$(BIN)/python -m tests.screens $(ARGS)
