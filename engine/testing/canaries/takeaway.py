"""What people take away from an engine: its recordings heard and scored, exported in every format, and the report."""

from __future__ import annotations

import asyncio
import importlib.util
import io
import json
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from engine.core.errors import ConfigError
from engine.core.units import Language
from engine.testing.canaries.places import Searched
from engine.testing.canaries.running import Running
from engine.testing.canaries.shapes import Shapes

CARD: Final = Path(__file__).with_name("quotes.yaml")
FORMATS: Final = ("csv", "xlsx", "json", "jsonl")
_SOME_FAILED: Final = 65  # a recording could not be heard; the others are done


async def taken_away(running: Running, language: Language, shapes: Shapes) -> Searched:
    """Hear every recording, score it by a card that quotes all of it, export that, and search the exports.

    Raises:
        ConfigError: a verb of quality control failed; its last words are in the message.
    """
    folder = running.folder / "takeaway"
    folder.mkdir()
    heard = await _verb(running, "run", "--card", str(CARD), "--tier", "fast", "--language", language, "--json")
    for name in (*FORMATS, *(["parquet"] if importlib.util.find_spec("pyarrow") else [])):
        await _verb(running, "export", "--format", name, "--out", str(folder / f"exported.{name}"))
    await _verb(running, "report", "--out", str(folder / "report.html"))
    searched = in_files(folder, shapes)
    searched.notes = {"calls scored": sum(json.loads(line)["state"] == "scored" for line in heard.splitlines())}
    return searched


def in_files(folder: Path, shapes: Shapes) -> Searched:
    """Search the files of a folder, and what is packed in them."""
    searched = Searched("exports and report")
    for where, octets in _read(folder):
        searched.take(shapes, where, octets)
    return searched


async def _verb(running: Running, *words: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "engine.cli", "qa", *words, "--config", str(running.folder / "engine.toml"),
        cwd=running.folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    out, complaint = await process.communicate()
    if process.returncode not in (0, _SOME_FAILED):
        raise ConfigError(
            f"qa {words[0]}: expected it to end well, found exit code {process.returncode}: {complaint.decode()[-500:]}"
        )
    return out.decode()


def _read(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, and what is packed in it."""
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            octets = path.read_bytes()
            yield path.name, octets
            yield from _unpacked(path, octets)


def _unpacked(path: Path, octets: bytes) -> Iterator[tuple[str, bytes]]:
    if path.suffix == ".xlsx":
        with zipfile.ZipFile(io.BytesIO(octets)) as workbook:
            yield from ((f"{path.name}/{name}", workbook.read(name)) for name in workbook.namelist())
    if path.suffix == ".parquet":
        from pyarrow import csv, parquet  # noqa: PLC0415 - an extra

        text = io.BytesIO()
        csv.write_csv(parquet.read_table(path), text)
        yield f"{path.name}, unpacked", text.getvalue()
