"""Quotes and bars as Arrow."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from crossrate.history.arrow import bars_batch, from_ipc, ticks_schema, to_ipc
from crossrate.history.store import TickStore
from crossrate.ticks.bars import bars_of
from crossrate.ticks.columns import COLUMNS
from crossrate.ticks.periods import Period
from tests.unit.history.some import PAIR, quotes


@pytest.mark.parametrize("compression", ["lz4", "zstd", ""])
def test_a_result_is_the_bytes_of_an_arrow_stream(tmp_path: Path, compression: str) -> None:
    """What a query gives is read from its bytes without a difference, times as UTC timestamps in nanoseconds."""
    store, ticks = TickStore.open(str(tmp_path)), quotes(1000)
    store.append("sim", PAIR, ticks)
    content = to_ipc((page.batch for page in store.ticks(PAIR, 0, 2**62, "sim")), compression=compression)
    table = from_ipc(content)
    assert table.schema == ticks_schema(COLUMNS, {})
    assert table.schema.field("venue_time").type == pa.timestamp("ns", tz="UTC")
    for name in COLUMNS:
        column = table[name].to_numpy()
        np.testing.assert_array_equal(column.view(np.int64) if "time" in name else column, getattr(ticks, name))


def test_bars_have_a_column_a_price() -> None:
    """Bars become flat columns, and only of the sides that they have."""
    bars = bars_of(quotes(100), Period.HOUR_1, sides=("mid",)).bars
    batch = bars_batch(bars)
    assert {"open_time", "mid_open", "mid_close", "count", "complete", "flags"} <= set(batch.schema.names)
    assert not any(name.startswith(("bid_o", "ask_o")) for name in batch.schema.names)
    assert from_ipc(to_ipc([batch])).num_rows == len(bars)


def test_a_result_without_rows_has_its_schema() -> None:
    """No batch is a stream of none, if the schema is known."""
    schema = ticks_schema(["venue_time", "bid"], {"instrument": PAIR})
    assert from_ipc(to_ipc([], schema)).schema == schema
    with pytest.raises(ValueError, match="batches"):
        to_ipc([])
