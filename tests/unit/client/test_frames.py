"""Frames and what they turn into."""

import datetime as dt
from typing import Any

import numpy as np
import pytest

from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.marketdata.v1 import feed_pb2, history_pb2, quote_pb2
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.client import Frame

MOMENT = dt.datetime(2026, 9, 30, 15, tzinfo=dt.UTC)


def bars() -> list[history_pb2.Bar]:
    """Two bars; of the second no quantity is known, and it has no mid."""
    first = history_pb2.Bar(
        open_time=MOMENT,
        bid=history_pb2.Ohlc(open=1.1, high=1.3, low=1.0, close=1.2),
        mid=history_pb2.Ohlc(open=1.15),
        tick_count=7,
        bid_quantity=1e6,
        complete=True,
    )
    return [first, history_pb2.Bar(open_time=MOMENT + dt.timedelta(seconds=1), bid=history_pb2.Ohlc(open=2.0))]


def frame() -> Frame:
    """One column of each kind."""
    return Frame(
        {
            "time": np.array(["2026-09-30T15:00:00.000000007", "NaT"], "datetime64[ns]"),
            "date": np.array(["2026-09-30", "2026-10-01"], "datetime64[D]"),
            "bid": np.array([1.1, np.nan]),
            "sequence": np.array([1, 2**63], np.uint64),
            "words": np.array(["live", ""], object),
            "live": np.array([True, False]),
        },
        index="time",
        attributes={"instrument": "EUR/USD", "source": "simulated"},
    )


def test_messages_become_columns() -> None:
    """Nested fields are columns of their own, times are numpy's, what is not there is NaN and not zero."""
    made = Frame.of(bars(), index="open_time")
    assert len(made) == 2
    assert made.index == "open_time"
    assert made["open_time"][1] - made["open_time"][0] == np.timedelta64(1, "s")
    assert made["bid.open"].tolist() == [1.1, 2.0]
    assert made["mid.open"][0] == 1.15
    assert np.isnan(made["mid.open"][1])
    assert made["bid_quantity"][0] == 1e6
    assert np.isnan(made["bid_quantity"][1])
    assert made["tick_count"].dtype == np.int64
    assert made["complete"].tolist() == [True, False]
    assert "close_time" not in made
    assert not [name for name in made if name.startswith(("ask", "volume"))]


def test_enums_lists_and_texts() -> None:
    """Enums are words, lists are lists, exact decimals stay text."""
    flags = [quote_pb2.QUOTE_FLAG_LOCKED, quote_pb2.QUOTE_FLAG_OUTLIER]
    quotes = [
        quote_pb2.Quote(instrument="EUR/USD", health=quote_pb2.QUOTE_HEALTH_LIVE, flags=flags),
        quote_pb2.Quote(instrument="USD/JPY", health=quote_pb2.QUOTE_HEALTH_GAPPED),
    ]
    made = Frame.of(quotes)
    assert made["health"].tolist() == ["live", "gapped"]
    assert made["flags"].tolist() == [["locked", "outlier"], []]
    orders = Frame.of([order_pb2.Order(terms=order_pb2.NewOrder(side=order_pb2.SIDE_BUY, quantity="100000.10"))])
    assert orders["terms.side"].tolist() == ["buy"]
    assert orders["terms.quantity"].tolist() == ["100000.10"]


@pytest.mark.parametrize("kind", [account_pb2.Account, execution_pb2.ExecutionReport, feed_pb2.Feed, order_pb2.Order])
def test_any_message_makes_a_frame(kind: Any) -> None:
    """Whatever a method lists, empty or not."""
    made = Frame.of([kind(), kind()])
    assert len(made) == (2 if made.columns else 0)
    assert len(Frame.of([])) == 0


def test_frames_are_joined() -> None:
    """One below the other; none at all is an empty one."""
    joined = Frame.joined([frame(), frame()])
    assert len(joined) == 4
    assert joined["sequence"].tolist() == [1, 2**63, 1, 2**63]
    assert joined.attributes["source"] == "simulated"
    assert len(Frame.joined([])) == 0


def test_what_is_not_there_is_named() -> None:
    """A column that a frame does not have, and columns that do not go together."""
    with pytest.raises(KeyError, match="ask: the columns are time, date, bid"):
        frame()["ask"]
    with pytest.raises(ValueError, match="columns of one frame have one length"):
        Frame({"a": np.zeros(2), "b": np.zeros(3)})
    assert repr(frame()).startswith("<Frame of 2 rows, time, date, bid, sequence, words, live, instrument EUR/USD")


def test_arrow_takes_it_without_a_copy() -> None:
    """Times are UTC to the nanosecond, numbers are the same memory, and whoever takes Arrow data takes a frame."""
    pa = pytest.importorskip("pyarrow", reason="needs group history: `uv sync --group history`")
    made = frame()
    table = made.to_arrow()
    assert table.schema.field("time").type == pa.timestamp("ns", tz="UTC")
    assert table.column("time").is_null().to_pylist()[1]
    assert table.column("time").cast(pa.int64()).to_pylist()[0] % 1000 == 7
    assert table.column("sequence").to_pylist() == [1, 2**63]
    assert table.schema.metadata == {b"instrument": b"EUR/USD", b"source": b"simulated"}
    assert table.column("bid").chunk(0).buffers()[1].address == made["bid"].ctypes.data
    taken = pa.table(made)
    assert taken.schema == table.schema
    assert taken.drop_columns("bid").equals(table.drop_columns("bid"))


def test_pandas_takes_it() -> None:
    """With its index, in UTC; the attributes go along."""
    pd = pytest.importorskip("pandas", reason="needs group frames: `uv sync --group frames`")
    made = frame().to_pandas()
    assert made.index.name == "time"
    assert made.index[0] == pd.Timestamp("2026-09-30T15:00:00.000000007Z")
    assert made["sequence"].tolist() == [1, 2**63]
    assert made["bid"].isna().tolist() == [False, True]
    assert made.attrs == {"instrument": "EUR/USD", "source": "simulated"}
    assert "words" in made.columns


def test_polars_takes_it() -> None:
    """In UTC, to the nanosecond, from its own method and as Arrow data."""
    pl = pytest.importorskip("polars", reason="needs group frames: `uv sync --group frames`")
    made = frame().to_polars()
    assert made.schema["time"] == pl.Datetime("ns", "UTC")
    assert made["time"].dt.nanosecond()[0] == 7
    assert made["time"].is_null().to_list() == [False, True]
    assert made["date"].to_list() == [dt.date(2026, 9, 30), dt.date(2026, 10, 1)]
    assert made["sequence"].to_list() == [1, 2**63]
    assert made["words"].to_list() == ["live", ""]
    assert pl.DataFrame(frame()).schema == made.schema
