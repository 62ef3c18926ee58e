"""Quotes and bars as messages."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.marketdata.v1 import history_pb2 as pb
from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.history.bars import VenueBars
from crossrate.rpc import arrays
from crossrate.ticks.bars import SIDES, Bars
from crossrate.ticks.columns import Flag, Ticks
from services.marketdata.history.rows import SAID

NANOSECONDS = 1_000_000_000
Block = Mapping[str, np.ndarray]
"""Columns by name."""
COLUMNS = {
    pb.TICK_COLUMN_BID: "bid",
    pb.TICK_COLUMN_ASK: "ask",
    pb.TICK_COLUMN_BID_QUANTITY: "bid_quantity",
    pb.TICK_COLUMN_ASK_QUANTITY: "ask_quantity",
    pb.TICK_COLUMN_RECEIVE_TIME: "receive_time",
    pb.TICK_COLUMN_SEQUENCE: "sequence",
    pb.TICK_COLUMN_FLAGS: "flags",
}
PRICE_SIDES = {pb.PRICE_SIDE_BID: "bid", pb.PRICE_SIDE_ASK: "ask", pb.PRICE_SIDE_MID: "mid"}
_HEALTH = (
    (Flag.CLOSED, quote_pb2.QUOTE_HEALTH_CLOSED),
    (Flag.STALE, quote_pb2.QUOTE_HEALTH_STALE),
    (Flag.CROSSED, quote_pb2.QUOTE_HEALTH_CROSSED),
    (Flag.AFTER_GAP, quote_pb2.QUOTE_HEALTH_GAPPED),
)


def ns(time: Timestamp) -> int:
    """A time in nanoseconds since 1970 UTC."""
    return time.seconds * NANOSECONDS + time.nanos


def timestamp(time: int) -> Timestamp:
    """Nanoseconds since 1970 UTC as a message."""
    return Timestamp(seconds=time // NANOSECONDS, nanos=time % NANOSECONDS)


def columns_of(batch: Any) -> Block:
    """A record batch as numpy columns; times as nanoseconds."""
    block = {}
    for name in batch.schema.names:
        column = batch.column(name)
        if name.endswith("_time"):
            column = column.view("int64")
        block[name] = column.to_numpy()
    return block


def tick_columns(block: Block) -> pb.TickColumns:
    """Quotes as columns of a message."""
    fields: dict[str, Any] = {}
    for name, column in block.items():
        wanted = np.uint32 if name == "flags" else column.dtype
        fields[f"{name}_ns" if name.endswith("_time") else name] = column.astype(wanted, copy=False)
    return arrays.put(pb.TickColumns(), **fields)


def bar_messages(bars: Bars) -> list[pb.Bar]:
    """Bars as messages."""
    columns = {name: column.tolist() for name, column in bars.columns().items()}
    made = []
    for place in range(len(bars)):
        bar = pb.Bar(
            open_time=timestamp(columns["open_time"][place]),
            close_time=timestamp(columns["close_time"][place]),
            tick_count=columns["count"][place],
            first_sequence=columns["first_sequence"][place],
            last_sequence=columns["last_sequence"][place],
            flags=columns["flags"][place],
            complete=columns["complete"][place],
        )
        for side in bars.sides:
            prices = getattr(bar, side)
            for part in ("open", "high", "low", "close"):
                setattr(prices, part, columns[f"{side}_{part}"][place])
        for name in ("bid_quantity", "ask_quantity"):
            if not math.isnan(columns[name][place]):
                setattr(bar, name, columns[name][place])
        made.append(bar)
    return made


def venue_bar_messages(part: VenueBars, sides: Sequence[str], count: int) -> list[pb.Bar]:
    """The first of a venue's own bars as messages, with the sides that were asked for and that the venue tells."""
    bars = part.bars[:count]
    told = {side: value for side in ("bid", "ask") if (value := getattr(bars, side)) is not None}
    kept = {side: value if side in sides and not np.isnan(value.open).all() else None for side, value in told.items()}
    nothing = np.full(len(bars), np.nan)
    made = bar_messages(replace(bars, **kept, bid_quantity=nothing, ask_quantity=nothing))
    for bar, volume in zip(made, part.volume[:count].tolist(), strict=True):
        if not math.isnan(volume):
            bar.volume = volume
    return made


def sides_of(asked: Iterable[int]) -> tuple[str, ...]:
    """The sides of bars that were asked for."""
    wanted = [PRICE_SIDES[side] for side in asked] or ["bid", "ask"]
    return tuple(side for side in SIDES if side in wanted)


def column_names(asked: Sequence[int]) -> list[str]:
    """The columns of quotes that were asked for, with the venue time."""
    return ["venue_time", *(COLUMNS[each] for each in (asked or COLUMNS))]


def health(flags: int) -> int:
    """The health of a stored quote."""
    return next((made for flag, made in _HEALTH if flags & flag), quote_pb2.QUOTE_HEALTH_LIVE)


def quotes_of(named: Sequence[tuple[str, str]], ticks: Ticks) -> list[quote_pb2.Quote]:
    """Stored quotes as they came, `named` by instrument and source; quantities that are not known are 0."""
    rows = zip(
        named,
        ticks.venue_time.tolist(),
        ticks.receive_time.tolist(),
        ticks.bid.tolist(),
        ticks.ask.tolist(),
        np.nan_to_num(ticks.bid_quantity).tolist(),
        np.nan_to_num(ticks.ask_quantity).tolist(),
        ticks.sequence.tolist(),
        ticks.flags.tolist(),
        strict=True,
    )
    return [
        quote_pb2.Quote(
            instrument=instrument,
            bid=bid,
            ask=ask,
            bid_quantity=bid_quantity,
            ask_quantity=ask_quantity,
            sequence=sequence,
            venue_time=timestamp(venue),
            receive_time=timestamp(receive) if receive else None,
            health=health(flags),
            source=source,
            flags=[said for said, flag in SAID.items() if flags & flag],
        )
        for (instrument, source), venue, receive, bid, ask, bid_quantity, ask_quantity, sequence, flags in rows
    ]
