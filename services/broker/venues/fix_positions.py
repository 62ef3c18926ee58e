"""Positions that a FIX venue reports: AN for each of its accounts, answered by AO and an AP for each position.

The session's messages come in their order, each committed before the next. So what is committed when the last message
of an answer comes is what the venue had told before it. Where it told of a fill between the first and the last one, the
answer is of no one moment, and is asked for again.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import Counter
from collections.abc import Mapping, Sequence

from crossrate.fix.enums import PosReqResult, PosReqStatus, PosReqType
from crossrate.fix.positions import PositionReport, RequestForPositions, RequestForPositionsAck
from crossrate.store import Database
from services.broker.domain.amounts import QUANTITY_UNIT
from services.broker.domain.matching import Matcher
from services.broker.reconciling.reading import Books
from services.broker.store.breaks import Breaks
from services.broker.store.copies import Copies
from services.broker.venues.fix_words import instrument_of

CUSTOMER = 1
"""AccountType (581): the account is carried on the customer side of the books, as ours is at a venue."""


class AskedPositions:
    """The positions of all accounts, asked for once, by a name that no other question has.

    Attributes:
        complete: set when every account has answered, or one has refused.
        upto: the number of the last report that is in the answer; known once it is complete.
        refused: why there is no answer; empty where there is one.
        moved: a fill was told in the midst of it.
    """

    def __init__(self, name: str, accounts: Sequence[str], day: dt.date, now_ns: int) -> None:
        self._names = {f"{name}.{number}": account for number, account in enumerate(accounts)}
        self._day, self._now_ns = day, now_ns
        self._expected: dict[str, int] = {}
        self._told: dict[str, list[PositionReport]] = {each: [] for each in self._names}
        self.complete = asyncio.Event()
        self.upto = 0
        self.refused = ""
        self.moved = False
        self._begun = False

    def questions(self) -> list[RequestForPositions]:
        """What is sent, in order."""
        return [
            RequestForPositions(
                pos_req_id=name,
                pos_req_type=PosReqType.POSITIONS,
                account=account,
                account_type=CUSTOMER,
                clearing_business_date=self._day,
                transact_time=self._now_ns,
            )
            for name, account in self._names.items()
        ]

    def fill(self) -> None:
        """The venue tells of a fill."""
        self.moved = self.moved or (self._begun and not self.complete.is_set())

    def refuse(self, why: str) -> None:
        """There will be no answer."""
        self.refused = self.refused or why or "it gives no reason"
        self.complete.set()

    def asks(self, name: str | None) -> bool:
        """Whether a name is that of one of the questions."""
        return name in self._names

    def take(self, value: RequestForPositionsAck | PositionReport, upto: int) -> None:
        """A message of the answer; with the number of the last report that is committed."""
        name = value.pos_req_id
        if name is None or name not in self._names or self.complete.is_set():
            return
        self._begun = True
        if value.pos_req_result not in (PosReqResult.VALID, PosReqResult.NO_POSITIONS) or (
            isinstance(value, RequestForPositionsAck) and value.pos_req_status is PosReqStatus.REJECTED
        ):
            self.refuse(f"account {self._names[name]}: {value.text or value.pos_req_result.name}")
            return
        if isinstance(value, PositionReport):
            self._told[name].append(value)
        if value.total_num_pos_reports is not None:
            self._expected[name] = value.total_num_pos_reports
        elif value.pos_req_result is PosReqResult.NO_POSITIONS:
            self._expected[name] = 0
        if all(len(told) >= self._expected.get(each, len(told) + 1) for each, told in self._told.items()):
            self.upto = upto
            self.complete.set()

    def positions(self) -> dict[str, int]:
        """What the accounts hold together, by instrument in 1/10000 of the base unit.

        Raises:
            ValueError: a report is not of the base currency, or of no pair.
        """
        found: Counter[str] = Counter()
        for each in (report for told in self._told.values() for report in told):
            instrument = instrument_of(each.symbol or "")
            if len(instrument) != len("EUR/USD") or each.currency not in (None, instrument[:3]):
                raise ValueError(f"a position of {each.symbol} in {each.currency}: none of a pair in its base currency")
            found[instrument] += int(each.net * QUANTITY_UNIT)
        return dict(found)


class Base:
    """What a venue's accounts hold beside the platform's own deals, kept when it is first known."""

    def __init__(self, venue: str, database: Database) -> None:
        self._venue, self._database = venue, database
        self._base: Mapping[str, int] | None = None

    async def without(self, stated: Mapping[str, int], upto: int) -> dict[str, int]:
        """Stated positions by the platform's deals alone.

        Args:
            upto: the number of the last report that is in them.

        Raises:
            StoreError: the database is away.
        """
        if self._base is None:
            self._base = await self._kept() or await self._keep(stated, upto)
        return {name: stated.get(name, 0) - self._base.get(name, 0) for name in stated.keys() | self._base.keys()}

    async def _kept(self) -> Mapping[str, int] | None:
        async with self._database.connection() as connection:
            found = await connection.fetchval("SELECT base FROM fix_venue_base WHERE venue = $1", self._venue)
        return json.loads(found) if found is not None else None

    async def _keep(self, stated: Mapping[str, int], upto: int) -> Mapping[str, int]:
        begin = await Breaks(self._database).begin(self._venue)
        books = Books(self._venue, Matcher(copied=False), Copies(self._database), begin)
        await books.read(0, 0, upto)
        own = books.matcher.held()
        base = {name: stated.get(name, 0) - own.get(name, 0) for name in stated.keys() | own.keys()}
        async with self._database.transaction() as connection:
            found = await connection.fetchval(
                "INSERT INTO fix_venue_base (venue, base) VALUES ($1, $2) "
                "ON CONFLICT (venue) DO UPDATE SET venue = excluded.venue RETURNING base",
                self._venue,
                json.dumps(base),
            )
        return json.loads(found)
