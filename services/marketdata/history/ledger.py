"""How far the log is stored: positions that the store has with each write, in the same commit as its rows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from crossrate.events.events import StreamEnds
from crossrate.history.keys import LIVE
from crossrate.history.store import TickStore
from services.marketdata.entry import COMPOSITE_SOURCE
from services.marketdata.history.messages import columns_of
from services.marketdata.history.rows import Collected, Key, Mark

MARK = ("epoch", "sequence", "missing")
"""What is said of each feed."""
DISORDER_NS = 60 * 1_000_000_000
"""Venues of a composite have clocks of their own: the newest is not always the one with the latest venue time."""
LOGS_MAX = 10_000
"""How often the end of one log can have been lost."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A place in a log.

    Attributes:
        name: of the log. One that was made anew, or that has lost its end, has another name, because its numbers mean
            other entries.
        number: of the newest entry that is stored; None if none is.
    """

    name: str
    number: int | None


def name_of(log: StreamEnds) -> str:
    """What the names of a log begin with: when it was made."""
    return "quotes-" + re.sub(r"\D", "", log.created)[:20]


def stored(store: TickStore, log: StreamEnds) -> Stored:
    """How far a log is stored. Blocks."""
    begin = name_of(log)
    found = Stored(f"{begin}.0", store.position(f"{begin}.0"))
    for count in range(1, LOGS_MAX):
        if found.number is None:
            break
        name = f"{begin}.{count}"
        number = store.position(name)
        if number is None and found.number <= log.last:
            break
        found = Stored(name, number)
    return found


def collected(store: TickStore, at: Stored) -> Collected:
    """What is behind a place: nothing yet."""
    return Collected(
        at.number or 0,
        lambda feed: mark(store, feed),
        lambda key: last_sequence(store, key),
        composed=lambda name: composed(store, name),
    )


def composed(store: TickStore, instrument: str | None = None) -> bool:
    """Whether composites are stored, of an instrument or at all. Blocks."""
    return bool(store.files(instrument, venue=COMPOSITE_SOURCE))


def mark(store: TickStore, feed: str) -> Mark | None:
    """How far a feed is stored; None if nothing of it is. Blocks."""
    epoch = store.position(f"epoch-{feed}")
    if epoch is None:
        return None
    return Mark(epoch, store.position(f"sequence-{feed}") or 0, store.position(f"missing-{feed}") or 0)


def positions(name: str, number: int, feeds: Mapping[str, Mark]) -> dict[str, int]:
    """What a write says beside its rows."""
    said = {name: number}
    for feed, mark in feeds.items():
        said |= {f"epoch-{feed}": mark.epoch, f"sequence-{feed}": mark.sequence, f"missing-{feed}": mark.missing}
    return said


def last_sequence(store: TickStore, key: Key) -> int | None:
    """The sequence of the newest stored quote of a feed's instrument, the one that was received last; None if there is
    none. It is looked for where venue times end, and so long before as they may be out of order. Blocks."""
    feed, instrument = key
    files = [file for file in store.files(instrument, venue=feed) if file.key.dataset == LIVE]
    if not files:
        return None
    last = max(file.last for file in files)
    newest = None
    for page in store.ticks(instrument, last - DISORDER_NS, last + 1, feed, ["receive_time", "sequence"]):
        block = columns_of(page.batch)
        place = np.lexsort((block["sequence"], block["receive_time"]))[-1]
        found = int(block["receive_time"][place]), int(block["sequence"][place])
        newest = found if newest is None else max(newest, found)
    return None if newest is None else newest[1]
