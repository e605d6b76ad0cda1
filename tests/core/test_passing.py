"""Folders for what is passing: a killed owner's are swept, and nobody else's."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from engine.config import Config, DoorsSection, VoskDoor
from engine.config.sections import StoreSection
from engine.core.errors import ConfigError
from engine.core.passing import PassingFolder, sweep
from engine.runtime.engine import Engine

REPOSITORY = Path(__file__).parents[2]
OWNER = """
import subprocess, sys
from engine.core.passing import PassingFolder
folder = PassingFolder("door")
(folder.path / "left").touch()
child = subprocess.Popen(["sleep", "60"], pass_fds=(folder.fileno(),)) if sys.argv[1:] else None
print(folder.path, child and child.pid, flush=True)
sys.stdin.read()
"""
Owner = Callable[..., tuple[subprocess.Popen[str], Path, str]]


@pytest.fixture(autouse=True)
def tmpdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


@pytest.fixture
def owner(tmp_path: Path) -> Iterator[Owner]:
    """Begins processes that have a folder each: the process, its folder, and its child."""
    begun: list[subprocess.Popen[str]] = []
    here = {**os.environ, "TMPDIR": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}

    def begin(*child: str) -> tuple[subprocess.Popen[str], Path, str]:
        pipe = subprocess.PIPE
        process = subprocess.Popen([sys.executable, "-c", OWNER, *child], stdin=pipe, stdout=pipe, text=True, env=here)
        begun.append(process)
        assert process.stdout is not None
        folder, of_child = process.stdout.readline().split()
        return process, Path(folder), of_child

    yield begin
    for it in begun:
        it.kill()
        it.communicate()


def test_what_a_killed_process_has_left_is_swept_and_what_others_use_is_not(owner: Owner, tmp_path: Path) -> None:
    (dead, left, _), (_, used, _) = owner(), owner()
    ours = PassingFolder("ours")
    before = sweep()
    dead.kill()
    dead.wait()
    after = sweep()

    assert (before, after) == ((), (left,))
    assert [left.exists(), used.exists(), ours.path.exists()] == [False, True, True]
    ours.close()


def test_a_folder_is_held_by_a_child_that_outlives_its_owner(owner: Owner) -> None:
    process, folder, child = owner("with a child")
    process.kill()
    process.wait()
    held = sweep()
    os.kill(int(child), 9)
    while not sweep():  # the kernel lets go a moment after
        os.sched_yield()

    assert held == ()
    assert not folder.exists()


def test_a_folder_that_is_closed_or_forgotten_is_gone(tmp_path: Path) -> None:
    with PassingFolder("a") as closed:
        (closed.path / "x").touch()
        mode = closed.path.stat().st_mode & 0o777
    closed.close()
    PassingFolder("b")

    assert mode == 0o700
    assert list(tmp_path.iterdir()) == []


def test_links_folders_without_a_lock_and_other_names_are_left_alone(tmp_path: Path) -> None:
    real = tmp_path / "elsewhere"
    for folder in (real, tmp_path / "callwright-old", tmp_path / "callwright-linked"):
        folder.mkdir()
    (real / "lock").touch()
    (tmp_path / "callwright-link").symlink_to(real)
    (tmp_path / "callwright-linked" / "lock").symlink_to(real / "lock")
    before = set(tmp_path.rglob("*"))

    assert sweep() == ()
    assert set(tmp_path.rglob("*")) == before


def test_another_users_folder_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / "callwright-theirs"
    theirs.mkdir()
    (theirs / "lock").touch()
    with monkeypatch.context() as other:
        other.setattr("os.geteuid", lambda: theirs.stat().st_uid + 1)
        left = sweep()

    assert left == ()
    assert sweep() == (theirs,)


def test_a_sweep_finds_no_folder_before_it_is_locked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[tuple[Path, ...]] = []
    lock = fcntl.flock

    def locked(descriptor: int, how: int) -> None:
        monkeypatch.undo()
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
        found.append(sweep())
        lock(descriptor, how)
        found.append(sweep())

    monkeypatch.setattr("engine.core.passing.fcntl.flock", locked)
    with PassingFolder("new") as folder:
        assert folder.path.exists()

    assert found == [(), ()]


async def test_an_engine_sweeps_when_it_starts_whatever_else_is_wrong(tmp_path: Path) -> None:
    left = tmp_path / "callwright-sip-left"
    left.mkdir()
    (left / "lock").touch()
    config = Config(doors=DoorsSection(vosk=VoskDoor()), store=StoreSection(key_file=tmp_path / "nowhere"))
    with pytest.raises(ConfigError, match="expected a file of keys"):
        await Engine.start(config)

    assert not left.exists()
