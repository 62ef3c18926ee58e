"""Faults that are put in on purpose, to see that the checks find them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path

from crossrate.history.keys import LIVE
from crossrate.history.store import TickStore
from tests.chaos.checker import Broken, Problem
from tests.chaos.log_feed import LogFeed
from tests.chaos.nemesis import KILL, Blow
from tests.chaos.stand import Stand
from tests.chaos.writers import batch_of

CONTROLS = {
    "gap": Broken.GAP,
    "repeat": Broken.REPEAT,
    "early": Broken.LOST,
    "half-written": Broken.HALF_WRITTEN,
    "twice": Broken.TWICE,
    "lost": Broken.LOST,
}
"""What each of them must be found as. The last ones leave a store that is wrong for good."""


async def controls(stand: Stand) -> AsyncIterator[tuple[str, Broken, list[Problem]]]:
    """Puts in one fault after the other: its name, as what it must be found, and what was found and was not before."""
    known: set[Problem] = set()
    for name, expected in CONTROLS.items():
        found = [problem for problem in await control(stand, name) if problem not in known]
        known |= set(found)
        yield name, expected, found


async def control(stand: Stand, name: str) -> list[Problem]:
    """One round with a fault; returns what was found.

    gap, repeat: a reader loses a message, or its place. early: a feed is told that its rows are kept before they are.
    half-written: a file breaks off. twice, lost: rows are written again, or taken out of the store.
    """
    plan: list[Blow] = []
    feeds: list[LogFeed] = []
    if name in ("gap", "repeat"):
        stand.readers[0].lapse = name
    elif name == "early":
        plan = [Blow("nats", KILL, 0.3, 3.0)]
        feeds = [LogFeed("hasty", stand.log, stand.history["feed hasty"], early=True)]
    elif name == "half-written":
        whole = next(Path(stand.url).glob("venue=*/**/*.parquet"))
        content = whole.read_bytes()
        (whole.parent / "part-broken-off.parquet").write_bytes(content[: len(content) // 2])
    elif name == "twice":
        TickStore.open(stand.url).append_all([batch_of("one", 0)], {"somebody": 1})
    else:
        TickStore.open(stand.url).expire(date(2024, 12, 31), instrument="USD/JPY", dataset=LIVE)
    return await stand.round(0, plan, feeds)
