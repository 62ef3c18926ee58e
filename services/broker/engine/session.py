"""How a venue's session stands: what others route by, and what people are shown."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from crossrate.store import Database, Lease

SMOOTHING = 0.1
"""Weight of a new latency in the smoothed one."""
LATENCIES_MAX = 1000
"""Newest latencies that the 99th percentile is of."""
_VENUE = (
    "name, wanted, wanted_by, wanted_why, (extract(epoch FROM wanted_time) * 1e9)::bigint, wanted_version, session, "
    "session_text, holder, (extract(epoch FROM session_time) * 1e9)::bigint, "
    "extract(epoch FROM clock_timestamp() - heard_time)::float8, latency_us, latency_p99_us, counts, gated"
)
_VENUES_AND_ORDERS = (
    f"SELECT {_VENUE}, ARRAY(SELECT order_id FROM venue_order WHERE order_id = ANY ($1::text[])), "
    "EXISTS (SELECT 1 FROM instruction WHERE order_id = ANY ($1::text[])) FROM venue"
)
ASKED_MAX = 10_000
"""Orders that wait for their first answer; what is older is not measured."""


class Session(IntEnum):
    """Where it stands."""

    AWAY = 1
    CONNECTING = 2
    RECOVERING = 3
    READY = 4


class Wanted(IntEnum):
    """What an operator wants of a venue."""

    ENABLED = 1
    DRAINING = 2
    DISABLED = 3


@dataclass(slots=True)
class Counts:
    """Since the instance took the venue."""

    sent: int = 0
    accepted: int = 0
    refused: int = 0
    fills: int = 0
    unknown: int = 0

    def row(self) -> list[int]:
        """As it is kept."""
        return [self.sent, self.accepted, self.refused, self.fills, self.unknown]


@dataclass(slots=True)
class Standing:
    """Of one venue, as its holder knows it."""

    session: Session = Session.AWAY
    text: str = ""
    since_ns: int = field(default_factory=time.time_ns)
    latency_us: int = 0
    counts: Counts = field(default_factory=Counts)
    _asked: OrderedDict[str, int] = field(default_factory=OrderedDict)
    _latencies_ns: deque[int] = field(default_factory=lambda: deque(maxlen=LATENCIES_MAX))

    def become(self, session: Session, text: str = "") -> bool:
        """Notes how it stands now, and says whether that is new."""
        if (session, text) == (self.session, self.text):
            return False
        if session is not self.session:
            self.since_ns = time.time_ns()
        self.session, self.text = session, text
        return True

    def asked(self, order_id: str, now_ns: int) -> None:
        """A new order goes to the venue, by a clock that only goes forward."""
        self._asked[order_id] = now_ns
        if len(self._asked) > ASKED_MAX:
            self._asked.popitem(last=False)

    def answered(self, order_id: str, now_ns: int) -> None:
        """The venue has said something of an order; its first word to a new one is measured."""
        begun_ns = self._asked.pop(order_id, None)
        if begun_ns is None:
            return
        latency_ns = now_ns - begun_ns
        self._latencies_ns.append(latency_ns)
        latency_us = latency_ns / 1000
        self.latency_us = max(
            1,
            round(latency_us if not self.latency_us else self.latency_us + SMOOTHING * (latency_us - self.latency_us)),
        )

    @property
    def latency_p99_us(self) -> int:
        """The least latency that 99 of 100 of the newest do not exceed; 0 before the first."""
        if not self._latencies_ns:
            return 0
        ordered = sorted(self._latencies_ns)
        return max(1, round(ordered[-(-len(ordered) * 99 // 100) - 1] / 1000))


@dataclass(frozen=True, slots=True)
class VenueRow:
    """A venue as it is kept for all instances.

    Attributes:
        heard_s: seconds since its holder last wrote; infinite if none ever did.
    """

    name: str
    wanted: Wanted
    wanted_by: str
    wanted_why: str
    wanted_time_ns: int
    wanted_version: int
    session: Session
    text: str
    holder: str
    since_ns: int
    heard_s: float
    latency_us: int
    latency_p99_us: int
    counts: tuple[int, ...]
    gated: frozenset[str] = frozenset()


class Sessions:
    """The table of venues."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def ensure(self, names: list[str]) -> None:
        """Every declared venue has a row."""
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO venue (name, wanted, wanted_by, wanted_why, wanted_version, session, session_text, "
                "holder, session_time, heard_time, latency_us, counts) "
                "SELECT name, 1, '', '', 1, 1, 'no instance has it', '', now(), 'epoch', 0, '{0,0,0,0,0}' "
                "FROM unnest($1::text[]) AS name ON CONFLICT DO NOTHING",
                names,
            )

    async def write(self, name: str, holder: str, standing: Standing, lease: Lease | None) -> None:
        """How a venue stands, by its holder; nothing if he holds it no more."""
        async with self._database.connection() as connection:
            await connection.execute(
                "UPDATE venue SET session = $2, session_text = $3, holder = $4, "
                "session_time = to_timestamp($5::float8), heard_time = clock_timestamp(), latency_us = $6, "
                "counts = $7, latency_p99_us = $10 "
                "WHERE name = $1 AND EXISTS (SELECT 1 FROM lease WHERE lease.name = $8 AND epoch = $9)",
                name,
                int(standing.session),
                standing.text[:500],
                holder,
                standing.since_ns / 1e9,
                standing.latency_us,
                standing.counts.row(),
                lease.name if lease else "",
                lease.epoch if lease else 0,
                standing.latency_p99_us,
            )

    async def read(self) -> dict[str, VenueRow]:
        """All venues."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(f"SELECT {_VENUE} FROM venue")
        return {row[0]: _row(row) for row in rows}

    async def read_with_orders(self, order_ids: Sequence[str]) -> tuple[dict[str, VenueRow], list[str], bool]:
        """All venues, which of some orders are kept, and whether there was ever an instruction about one of them: what
        every instruction asks, in one round trip. One that was refused has no order."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_VENUES_AND_ORDERS, order_ids)
        known, instructed = rows[0][15:17] if rows else ([], False)
        return {row[0]: _row(row) for row in rows}, known, instructed


def _row(row: Sequence[Any]) -> VenueRow:
    counts, gated = tuple(row[13]), frozenset(row[14])
    return VenueRow(row[0], Wanted(row[1]), *row[2:6], Session(row[6]), *row[7:13], counts, gated)
