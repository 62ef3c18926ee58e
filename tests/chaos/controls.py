"""Faults that are put in on purpose, to see that the checks find them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import date
from pathlib import Path

from crossrate.history.keys import LIVE
from crossrate.history.store import TickStore
from tests.chaos.checker import Broken, Problem
from tests.chaos.log_feed import LogFeed
from tests.chaos.nemesis import KILL, Blow
from tests.chaos.stand import LOG_FEED, Stand
from tests.chaos.writers import batch_of

CONTROLS = {
    "gap": (Broken.GAP, "reader one"),
    "repeat": (Broken.REPEAT, "reader two"),
    "half-written": (Broken.HALF_WRITTEN, "part-broken-off.parquet"),
    "early": (Broken.LOST, "feed hasty"),
    "twice": (Broken.TWICE, "writer one"),
    "lost": (Broken.LOST, f"store of {LOG_FEED} USD/JPY"),
}
"""As what each of them must be found, and with whom. The last ones leave a store that is wrong for good."""
ROUNDS = (("gap", "repeat", "half-written"), ("early",), ("twice", "lost"))
"""Which of them share a round: what they break, or with whom, tells them apart."""
QUIET = 2
"""The number of a round without writers beside the services, which keeps its dataset."""


async def controls(stand: Stand) -> AsyncIterator[tuple[str, bool, list[Problem]]]:
    """Puts in all faults: the name of each, whether it was found as what it is, and what the round found anew."""
    known: set[Problem] = set()
    for names in ROUNDS:
        found = [problem for problem in await _round(stand, names) if problem not in known]
        known |= set(found)
        for name in names:
            yield name, CONTROLS[name] in {(problem.broken, problem.whose) for problem in found}, found


async def _round(stand: Stand, names: Sequence[str]) -> list[Problem]:
    """One round with some faults; returns what was found.

    gap, repeat: a reader loses a message, or its place. early: a feed is told that its rows are kept before they are.
    half-written: a file breaks off. twice, lost: rows are written again, or taken out of the store.
    """
    plan: list[Blow] = []
    feeds: list[LogFeed] = []
    for name in names:
        if name == "gap":
            stand.readers[0].lapse = name
        elif name == "repeat":
            stand.readers[1].lapse = name
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
    return await stand.round(QUIET, plan, feeds)
