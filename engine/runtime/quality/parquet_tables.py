"""Tables as Parquet: a folder with a file a table. Needs pyarrow, the extra ``parquet``. Moments are timestamps in UTC."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

from engine.core.errors import ConfigError
from engine.qa.export import TABLES, Column, Kind, Row, Value
from engine.qa.report.markup import clean
from engine.runtime.quality.tables import Tables
from engine.runtime.quality.whole_files import whole

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as error:
    raise ConfigError(
        "--format parquet: expected pyarrow to be installed, found none: pip install 'callwright[parquet]'"
    ) from error

_GROUP = 20_000  # rows that are gathered and written together
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.NUMBER: pa.float64(),
    Kind.WHOLE: pa.int64(),
    Kind.FLAG: pa.bool_(),
    Kind.MOMENT: pa.timestamp("us", tz="UTC"),
}


class ParquetTables(Tables):
    """See the module."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder
        self._files: dict[str, _File] = {}

    def __enter__(self) -> Self:
        """Open all tables."""
        super().__enter__()
        for name, columns in TABLES.items():
            part = self.enter_context(whole(self._folder / f"{name}.parquet"))
            self._files[name] = self.enter_context(_File(part, columns))
        return self

    def add(self, table: str, row: Row) -> None:
        """Write one row."""
        self._files[table].add(row)


class _File:
    """One table."""

    def __init__(self, path: Path, columns: Sequence[Column]) -> None:
        self._schema = pa.schema([pa.field(it.name, _TYPES[it.kind]) for it in columns])
        self._writer = pq.ParquetWriter(path, self._schema, compression="zstd")
        self._rows: list[Row] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._flush()
        self._writer.close()

    def add(self, row: Row) -> None:
        self._rows.append(row)
        if len(self._rows) == _GROUP:
            self._flush()

    def _flush(self) -> None:
        if not self._rows:
            return
        columns: list[Any] = [
            pa.array([_cleaned(it) for it in column], field.type)
            for field, column in zip(self._schema, zip(*self._rows, strict=True), strict=True)
        ]
        self._writer.write_table(pa.Table.from_arrays(columns, schema=self._schema))
        self._rows.clear()


def _cleaned(value: Value) -> Value:
    return clean(value) if isinstance(value, str) else value
