"""Blocks of any delimited text, read by pyarrow's reader."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.csv
from numpy.typing import NDArray

from crossrate.files.fields import Fields
from crossrate.files.plan import Plan
from crossrate.files.shape import Role
from crossrate.files.stamps import parse_column


def read(data: bytes, lines: int, plan: Plan) -> Fields | None:
    """The columns of a block; None if a line of it cannot be read so, or is none."""
    shape = plan.shape
    types = {plan.places[role]: pa.float64() for role in plan.numbers}
    if plan.epoch:
        types[plan.places[Role.TIME]] = pa.int64()
    for role, kind in (
        (Role.DATE, pa.string()),
        (Role.TIME, pa.string()),
        (Role.INSTRUMENT, pa.dictionary(pa.int32(), pa.string())),
    ):
        if role in plan.places:
            types.setdefault(plan.places[role], kind)
    try:
        found = pyarrow.csv.read_csv(
            pa.BufferReader(data),
            read_options=pyarrow.csv.ReadOptions(
                column_names=[str(place) for place in range(plan.width)], use_threads=False, block_size=len(data) + 1
            ),
            parse_options=pyarrow.csv.ParseOptions(delimiter=shape.delimiter, ignore_empty_lines=False),
            convert_options=pyarrow.csv.ConvertOptions(
                column_types={str(place): kind for place, kind in types.items()},
                include_columns=[str(place) for place in types],
                null_values=[""],
                decimal_point=shape.decimal_mark,
            ),
        )
    except pa.ArrowInvalid:
        return None
    if found.num_rows != lines:
        return None
    columns = {place: found[str(place)].combine_chunks() for place in types}
    good = np.ones(lines, np.bool_)
    if plan.epoch:
        stamps = columns[plan.places[Role.TIME]]
        if stamps.null_count:
            return None
        units = stamps.to_numpy(zero_copy_only=False)
        # What would not fit after the multiplication is no time, and is refused with its line.
        good &= (units >= 0) & (units < 2**62 // plan.epoch)
        time = np.where(good, units, 0) * plan.epoch + plan.date_ns
    else:
        time = np.zeros(lines, np.int64)
        for role, forms in ((Role.DATE, shape.dates), (Role.TIME, shape.times)):
            if forms:
                stamp, fits = _texts(columns[plan.places[role]], forms)
                time += stamp
                good &= fits
    if Role.INSTRUMENT in plan.places:
        good &= _instruments(columns[plan.places[Role.INSTRUMENT]], plan)
    numbers = {role: columns[place].to_numpy(zero_copy_only=False) for role, place in plan.numbers.items()}
    return Fields(time, numbers, good)


def _texts(column: pa.StringArray, forms: tuple[str, ...]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Times in text."""
    _, offsets, data = column.buffers()
    if data is None or not data.size:
        return np.zeros(len(column), np.int64), np.zeros(len(column), np.bool_)
    begins = np.frombuffer(offsets, np.int32, len(column) + 1, column.offset * 4).astype(np.int64)
    return parse_column(np.frombuffer(data, np.uint8), begins[:-1], np.diff(begins), forms)


def _instruments(coded: pa.DictionaryArray, plan: Plan) -> NDArray[np.bool_]:
    """Which rows are of the plan's instrument."""
    known = np.zeros(len(coded.dictionary), np.bool_)
    for place, name in enumerate(coded.dictionary.to_pylist()):
        try:
            known[place] = plan.shape.instrument(name) == plan.instrument
        except ValueError:
            known[place] = False
    return known[coded.indices.to_numpy(zero_copy_only=False)]
