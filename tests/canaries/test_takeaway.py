"""A number in what people take away is found, packed or not."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from engine.testing.canaries.shapes import Canary, Shapes
from engine.testing.canaries.takeaway import in_files

CARD = Canary("road/card", "4539578763621486")


def as_text(folder: Path, said: str) -> None:
    (folder / "evidence.csv").write_text(f"text\n{said}\n", encoding="utf-8")


def as_a_workbook(folder: Path, said: str) -> None:
    with zipfile.ZipFile(folder / "exported.xlsx", "w", zipfile.ZIP_DEFLATED) as workbook:
        workbook.writestr("xl/sharedStrings.xml", f"<sst><si><t>{said}</t></si></sst>")


def as_parquet(folder: Path, said: str) -> None:
    (folder / "exported.parquet").mkdir()
    pq.write_table(pa.table({"text": [said] * 100}), folder / "exported.parquet" / "evidence.parquet", compression="zstd")


@pytest.mark.parametrize("write", [as_text, as_a_workbook, as_parquet])
def test_a_number_is_found_and_harmless_words_are_not(tmp_path: Path, write: Callable[[Path, str], None]) -> None:
    harmless, leaking = tmp_path / "harmless", tmp_path / "leaking"
    for folder, said in ((harmless, "my card number is ***"), (leaking, f"my card number is {CARD.digits}")):
        folder.mkdir()
        write(folder, said)
    shapes = Shapes([CARD])

    assert in_files(harmless, shapes).hits == []
    assert {hit.slot for hit in in_files(leaking, shapes).hits} == {CARD.slot}
