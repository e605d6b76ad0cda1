import hashlib
from pathlib import Path

import pytest

from engine import model_files as models
from engine.core.errors import ConfigError, ModelNotFound
from engine.model_files import State, fetch, pinned, read_manifest, ready, rows

WHOLE = b"one half" + b"the other half"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A models folder whose manifest wants one file, joined from two installed halves, and one that the operator brings."""
    package = tmp_path / "packages" / "halves_for_a_test"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "part1").write_bytes(WHOLE[:8])
    (package / "part2").write_bytes(WHOLE[8:])
    monkeypatch.syspath_prepend(str(package.parent))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "models"
    folder.mkdir()
    manifest(folder, hashlib.sha256(WHOLE).hexdigest())
    return folder


def manifest(folder: Path, sha256: str) -> None:
    (folder / "manifest.toml").write_text(
        f"""
        [[model]]
        name = "joined"
        what = "for tests"
        licence = "none"
        package = "halves-for-a-test"
        files = [{{ path = "model.bin", size = {len(WHOLE)}, sha256 = "{sha256}", parts = [
            "halves_for_a_test/part1", "halves_for_a_test/part2"] }}]

        [[model]]
        name = "brought"
        what = "by the operator"
        licence = "theirs"
        files = [{{ path = "am/final.mdl" }}]
        """
    )


def test_halves_are_joined_at_the_first_load(folder: Path) -> None:
    place = ready("joined", folder)

    assert (place / "model.bin").read_bytes() == WHOLE
    assert [path.name for path in place.iterdir()] == ["model.bin"]


def test_a_read_only_folder_sends_the_joined_model_to_the_cache(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.os, "access", lambda path, mode: False)

    assert ready("joined", folder) == folder.parent / "cache" / "callwright" / "models" / "joined"
    assert ready("joined", folder).is_dir()


def test_halves_that_join_to_another_file_leave_nothing_behind(folder: Path) -> None:
    manifest(folder, "0" * 64)

    with pytest.raises(ModelNotFound, match="expected sha256 0000"):
        ready("joined", folder)
    assert list((folder / "joined").iterdir()) == []


def test_a_file_that_was_changed_is_never_loaded(folder: Path) -> None:
    place = ready("joined", folder)
    (place / "model.bin").write_bytes(WHOLE[::-1])

    with pytest.raises(ModelNotFound, match="sha256"):
        ready("joined", folder)
    assert [row.state for row in rows(folder, verify=True)] == [State.WRONG, State.MISSING]


def test_a_file_of_another_length_is_told_by_its_size(folder: Path) -> None:
    place = ready("joined", folder)
    (place / "model.bin").write_bytes(WHOLE[:-1])

    with pytest.raises(ModelNotFound, match=f"expected {len(WHOLE)} bytes, found {len(WHOLE) - 1}"):
        ready("joined", folder)


def test_rows_say_how_each_model_stands(folder: Path) -> None:
    before = {row.name: row for row in rows(folder)}
    fetch(pinned("joined", folder), folder)
    (folder / "brought" / "am").mkdir(parents=True)
    (folder / "brought" / "am" / "final.mdl").write_bytes(b"x")
    after = {row.name: row for row in rows(folder, verify=True)}

    assert (before["joined"].state, before["brought"].state) == (State.FETCHABLE, State.MISSING)
    assert f"(am/final.mdl) in {folder}/brought, found no such folder; the operator brings it there" in before["brought"].problem
    assert (after["joined"].state, after["brought"].state) == (State.READY, State.READY)
    assert after["joined"].size == len(WHOLE)


def test_a_model_whose_package_is_missing_names_it(folder: Path) -> None:
    text = (folder / "manifest.toml").read_text().replace("halves_for_a_test/part2", "package_that_nobody_has/part2")
    (folder / "manifest.toml").write_text(text)

    with pytest.raises(ModelNotFound, match="pip install halves-for-a-test"):
        ready("joined", folder)
    assert not (folder / "joined").exists()


def test_an_unknown_model_is_answered_with_the_known_ones(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"brought, joined.*'jointed'"):
        ready("jointed", folder)


@pytest.mark.parametrize("text", ["[[model]]\nname = 3", "not toml", "[[model]]\nname = 'x'\nfiles = []\ntypo = 1"])
def test_a_broken_manifest_names_its_file(folder: Path, text: str) -> None:
    (folder / "manifest.toml").write_text(text)

    with pytest.raises(ConfigError, match=r"manifest\.toml"):
        read_manifest(folder)


def test_no_manifest_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="CALLWRIGHT_MODELS"):
        read_manifest(tmp_path)


def test_our_manifest_pins_every_file_that_a_package_brings() -> None:
    for model in read_manifest():
        assert model.licence
        assert model.package is None or all(file.sha256 for file in model.files)
