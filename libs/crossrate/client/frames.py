"""Columns of one length for numpy, Arrow, pandas and polars; none of the last three is needed until it is asked for."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf import json_format
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

DEPTH_MAX = 4
"""How deep nested messages become columns of their own."""

_DATE, _TIME, _DURATION = "google.type.Date", "google.protobuf.Timestamp", "google.protobuf.Duration"
_NUMBERS: dict[int, Any] = {
    FieldDescriptor.TYPE_DOUBLE: np.float64,
    FieldDescriptor.TYPE_FLOAT: np.float32,
    FieldDescriptor.TYPE_BOOL: np.bool_,
    FieldDescriptor.TYPE_INT32: np.int32,
    FieldDescriptor.TYPE_SINT32: np.int32,
    FieldDescriptor.TYPE_SFIXED32: np.int32,
    FieldDescriptor.TYPE_UINT32: np.uint32,
    FieldDescriptor.TYPE_FIXED32: np.uint32,
    FieldDescriptor.TYPE_INT64: np.int64,
    FieldDescriptor.TYPE_SINT64: np.int64,
    FieldDescriptor.TYPE_SFIXED64: np.int64,
    FieldDescriptor.TYPE_UINT64: np.uint64,
    FieldDescriptor.TYPE_FIXED64: np.uint64,
}


class Frame:
    """Named columns of one length, in their order: `frame["bid"]` is a numpy array, `len(frame)` the number of rows.

    Times are datetime64[ns] in UTC (NaT where there is none), dates datetime64[D], durations timedelta64[ns], numbers
    as wide as in the contract, everything else objects: text, exact decimals as text, words of enums.

    Attributes:
        index: the column by which rows are known, which pandas takes for its index; "" for none.
        attributes: what holds for all rows, such as `instrument` and `source`.
    """

    def __init__(
        self, columns: Mapping[str, np.ndarray], *, index: str = "", attributes: Mapping[str, Any] | None = None
    ) -> None:
        lengths = {name: len(column) for name, column in columns.items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"columns of one frame have one length, these have {lengths}")
        self._columns = dict(columns)
        self._rows = next(iter(lengths.values()), 0)
        self.index = index if index in self._columns else ""
        self.attributes = dict(attributes or {})

    @classmethod
    def of(cls, messages: Iterable[Message], *, index: str = "", attributes: Mapping[str, Any] | None = None) -> Frame:
        """Messages of one kind as rows. Fields of nested messages are columns as "terms.side"; a column is left out if
        it is empty in every row.

        Repeated fields are lists, and what lies deeper than four messages is left out.
        """
        rows = list(messages)
        if not rows:
            return cls({}, attributes=attributes)
        columns: dict[str, np.ndarray] = {}
        for name, column in _columns(rows[0].DESCRIPTOR, list(rows), "", 1):
            columns[name] = column
        return cls(columns, index=index, attributes=attributes)

    @classmethod
    def joined(cls, frames: Iterable[Frame]) -> Frame:
        """Frames of the same columns one below the other, with the attributes of the first."""
        parts = list(frames)
        if not parts:
            return cls({})
        names = list(parts[0]._columns)
        columns = {name: np.concatenate([part._columns[name] for part in parts]) for name in names}
        return cls(columns, index=parts[0].index, attributes=parts[0].attributes)

    def __getitem__(self, name: str) -> np.ndarray:
        try:
            return self._columns[name]
        except KeyError:
            raise KeyError(f"{name}: the columns are {', '.join(self._columns) or 'none'}") from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __contains__(self, name: object) -> bool:
        return name in self._columns

    def __len__(self) -> int:
        return self._rows

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of the columns."""
        return tuple(self._columns)

    def __repr__(self) -> str:
        told = "".join(f", {name} {value}" for name, value in self.attributes.items() if value)
        return f"<Frame of {len(self)} rows, {', '.join(self._columns) or 'no columns'}{told}>"

    def to_arrow(self) -> pyarrow.Table:
        """An Arrow table; numbers and times are not copied. Times are timestamp[ns, UTC].

        Raises:
            ImportError: pyarrow is not installed.
        """
        pa = _needed("pyarrow")
        arrays = {name: pa.array(column, type=_arrow_type(pa, column)) for name, column in self._columns.items()}
        metadata = {name: str(value) for name, value in self.attributes.items()}
        return pa.table(arrays).replace_schema_metadata(metadata or None)

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """For whoever takes Arrow data: `polars.DataFrame(frame)`, `pyarrow.table(frame)`, duckdb."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas frame, with `index` as its index and times in UTC.

        Raises:
            ImportError: pandas is not installed.
        """
        pd = _needed("pandas")
        series = {}
        for name, column in self._columns.items():
            made = pd.Series(column)
            series[name] = made.dt.tz_localize("UTC") if column.dtype == "datetime64[ns]" else made
        frame = pd.DataFrame(series)
        frame.attrs.update(self.attributes)
        return frame.set_index(self.index) if self.index else frame

    def to_polars(self) -> polars.DataFrame:
        """A polars frame, times in UTC.

        Raises:
            ImportError: polars is not installed.
        """
        pl = _needed("polars")
        series = []
        for name, column in self._columns.items():
            made = pl.Series(name, column.tolist() if column.dtype == object else column)
            series.append(made.dt.replace_time_zone("UTC") if column.dtype == "datetime64[ns]" else made)
        return pl.DataFrame(series)


def _needed(package: str) -> Any:
    try:
        return __import__(package)
    except ImportError:
        raise ImportError(f"{package} is not installed: add it, or take the columns as numpy arrays") from None


def _arrow_type(pa: Any, column: np.ndarray) -> Any:
    if column.dtype == "datetime64[ns]":
        return pa.timestamp("ns", tz="UTC")
    return None if column.size else pa.string() if column.dtype == object else None


def _columns(kind: Descriptor, rows: list[Any], path: str, depth: int) -> Iterator[tuple[str, np.ndarray]]:
    """The columns of messages of one kind; None stands for a message that is not there."""
    for field in kind.fields:
        name = path + field.name
        nested = field.message_type
        if field.is_repeated:
            lists = [[] if row is None else _plain(field, getattr(row, field.name)) for row in rows]
            if any(lists):
                yield name, _objects(lists)
        elif nested is None:
            yield from _scalars(field, rows, name)
        else:
            inner = [getattr(row, field.name) if row is not None and row.HasField(field.name) else None for row in rows]
            if all(each is None for each in inner):
                continue
            if nested.full_name in (_TIME, _DURATION, _DATE):
                yield name, _times(nested.full_name, inner)
            elif depth < DEPTH_MAX:
                yield from _columns(nested, inner, f"{name}.", depth + 1)


def _scalars(field: FieldDescriptor, rows: list[Any], name: str) -> Iterator[tuple[str, np.ndarray]]:
    there = [row is not None and (not field.has_presence or row.HasField(field.name)) for row in rows]
    values = [getattr(row, field.name) if row is not None else field.default_value for row in rows]
    if field.type == FieldDescriptor.TYPE_ENUM:
        words = _words(field)
        if any(values):
            yield name, _objects([words.get(value, str(value)) if value else "" for value in values])
    elif field.type in _NUMBERS:
        column = np.array(values, dtype=_NUMBERS[field.type])
        if not all(there):
            # A number that is not there is not zero.
            column = np.where(there, column.astype(np.float64), np.nan)
        if any(there):
            yield name, column
    elif any(values):
        yield name, _objects(values)


def _words(field: FieldDescriptor) -> dict[int, str]:
    names = {value.number: value.name for value in field.enum_type.values}
    prefix = names[0].removesuffix("UNSPECIFIED")
    return {number: name.removeprefix(prefix).lower() for number, name in names.items()}


def _objects(values: list[Any]) -> np.ndarray:
    column = np.empty(len(values), dtype=object)
    for place, value in enumerate(values):
        column[place] = value
    return column


def _plain(field: FieldDescriptor, values: Any) -> Any:
    """What a repeated field holds as lists of Python's own, a map as a dictionary."""
    nested = field.message_type
    if nested is not None and nested.GetOptions().map_entry:
        return {key: str(value) if isinstance(value, Message) else value for key, value in values.items()}
    if nested is not None:
        return [json_format.MessageToDict(each, preserving_proto_field_name=True) for each in values]
    if field.type == FieldDescriptor.TYPE_ENUM:
        words = _words(field)
        return [words.get(each, str(each)) for each in values]
    return list(values)


def _times(kind: str, values: list[Any]) -> np.ndarray:
    if kind == _DATE:
        days = [None if each is None else dt.date(each.year, each.month, each.day) for each in values]
        return np.array(days, dtype="datetime64[D]")
    width = "datetime64[ns]" if kind == _TIME else "timedelta64[ns]"
    nothing = np.iinfo(np.int64).min  # what numpy takes for NaT
    return np.array([nothing if each is None else each.ToNanoseconds() for each in values], np.int64).view(width)
