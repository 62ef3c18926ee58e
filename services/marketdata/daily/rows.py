"""The lines of a daily file, as cells under the names of their columns."""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from crossrate.files.containers import Limits, members
from crossrate.files.failure import FileFailure
from services.marketdata.daily.declared import DailyFile

LIMITS = Limits(expanded_bytes_max=64 << 20, members_max=10)
"""The European Central Bank's 27 years have 2 MB."""
ROWS_MAX = 1_000_000
COLUMNS_MAX = 400
YEARS = (1900, 2199)

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_PARQUET = b"PAR1"


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a file or a line of it.

    Attributes:
        file: its name.
        line: number of the line, from 1; of a Parquet file the number of the row; 0 for the file as a whole.
        field: name of the column; "" for none in particular.
        reason: what is wrong, and what would be right.
    """

    file: str
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        where = self.file + (f", line {self.line}" if self.line else "") + (f", {self.field}" if self.field else "")
        return f"{where}: {self.reason}"


class BadCell(ValueError):
    """A cell, or what a line says with several, is not what it has to be."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Table:
    """Names of columns, and the lines with their numbers. Cells are text, or Python values of a Parquet file."""

    names: list[str]
    lines: Iterator[tuple[int, list[Any]]]


def table(path: Path, spec: DailyFile) -> Table:
    """The lines of a file, read as they are asked for.

    Raises:
        FileFailure: it cannot be read, is damaged or larger than it may be; also while lines are read.
    """
    try:
        with path.open("rb") as file:
            parquet = file.read(4) == _PARQUET
    except OSError as error:
        raise FileFailure(str(path), f"cannot be read: {error.strerror}") from error
    made = _parquet(path) if parquet else _text(path, spec)
    if not 2 <= len(made.names) <= COLUMNS_MAX:
        words = f"has {len(made.names)} column(s), from 2 to {COLUMNS_MAX} are read: look at `delimiter`"
        raise FileFailure(str(path), words)
    return made


def _text(path: Path, spec: DailyFile) -> Table:
    lines = _records(path, spec)
    for _, cells in lines:
        return Table([cell.strip() for cell in cells], lines)
    raise FileFailure(str(path), "has no line with the names of its columns")


def _records(path: Path, spec: DailyFile) -> Iterator[tuple[int, list[str]]]:
    """Lines that are not empty, with the number of the one that each begins in."""
    count = 0
    for member in members(path, r".*\.(csv|tsv|txt)", LIMITS):
        if count:
            raise FileFailure(str(path), "has several members; a daily source is one file")
        count = 1
        data = member.stream.read()
        try:
            text = io.StringIO(data.decode("utf-8-sig"), newline="")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise FileFailure(str(path), "is not UTF-8; write it anew in that encoding", line=line) from error
        reader = csv.reader(itertools.islice(text, spec.skip_lines, None), delimiter=spec.delimiter, strict=True)
        number = spec.skip_lines + 1
        try:
            for rows, cells in enumerate(reader):
                if rows > ROWS_MAX:
                    raise FileFailure(str(path), f"has more than {ROWS_MAX} rows")
                if any(cell.strip() for cell in cells):
                    yield number, cells
                number = spec.skip_lines + reader.line_num + 1
        except csv.Error as error:
            raise FileFailure(str(path), f"is no delimited text: {error}", line=number) from error


def _parquet(path: Path) -> Table:
    # Not at import: pyarrow starts threads, and a process that has any cannot be forked.
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise FileFailure(str(path), f"is no whole Parquet file ({error}); fetch it again") from error
    sizes = sum(file.metadata.row_group(each).total_byte_size for each in range(file.num_row_groups))
    if file.metadata.num_rows > ROWS_MAX or sizes > LIMITS.expanded_bytes_max:
        file.close()
        most = f"{ROWS_MAX} and {LIMITS.expanded_bytes_max} are read"
        words = f"has {file.metadata.num_rows} rows and {sizes} bytes; {most}"
        raise FileFailure(str(path), words)

    def lines() -> Iterator[tuple[int, list[Any]]]:
        number = 0
        try:
            with file:
                for batch in file.iter_batches(1 << 14):
                    for cells in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                        number += 1
                        yield number, list(cells)
        except (pa.ArrowInvalid, OSError) as error:
            raise FileFailure(str(path), f"is damaged ({error}); fetch it again", line=number + 1) from error

    return Table(list(file.schema_arrow.names), lines())


class Cells:
    """Reads cells as a declaration says."""

    def __init__(self, spec: DailyFile, today: dt.date) -> None:
        self._spec = spec
        self._missing = frozenset(spec.missing)
        self._last = today + dt.timedelta(days=1)
        self._days: dict[str, dt.date] = {}

    def number(self, field: str, cell: Any) -> float | None:
        """A rate; None where there is none.

        Raises:
            BadCell: it is no positive number.
        """
        if cell is None or (isinstance(cell, float) and math.isnan(cell)):
            return None
        if isinstance(cell, str):
            text = cell.strip()
            if text in self._missing:
                return None
            written = text.replace(",", ".") if self._spec.decimal == "," else text
            if not _NUMBER.fullmatch(written) or (self._spec.decimal == "," and "." in text):
                raise BadCell(field, f"{text[:40]!r} is no number")
            value = float(written)
        elif isinstance(cell, (int, float, Decimal)) and not isinstance(cell, bool):
            value = float(cell)
        else:
            raise BadCell(field, f"{str(cell)[:40]!r} is no number")
        if not 0.0 < value < math.inf:
            raise BadCell(field, f"{value} is not positive and finite")
        return value

    def day(self, cell: Any) -> dt.date:
        """A day, at most one after today: somewhere it is tomorrow already.

        Raises:
            BadCell: it is none.
        """
        field = self._spec.date_column
        if isinstance(cell, dt.date):
            return self._possible(field, cell)
        text = "" if cell is None else str(cell).strip()
        day = self._days.get(text)
        if day is None:
            day = self._days[text] = self._possible(field, self._parsed(field, text))
        return day

    def _possible(self, field: str, day: dt.date) -> dt.date:
        if isinstance(day, dt.datetime):
            if day.time() != dt.time():
                raise BadCell(field, f"{day.isoformat()} is a time within a day; a daily rate has a day")
            day = day.date()
        if not YEARS[0] <= day.year <= YEARS[1]:
            raise BadCell(field, f"{day} is not within {YEARS[0]} and {YEARS[1]}")
        if day > self._last:
            raise BadCell(field, f"{day} is in the future")
        return day

    def _parsed(self, field: str, text: str) -> dt.date:
        try:
            if self._spec.date_format == "%Y-%m-%d":
                if len(text) == 10:
                    return dt.date.fromisoformat(text)
                raise ValueError(text)
            return dt.datetime.strptime(text, self._spec.date_format).date()
        except ValueError:
            raise BadCell(field, f"{text[:40]!r} is no day of the form {self._spec.date_format}") from None
