"""The transactions of a venue that speaks the v20 API, in their order, each in the commit that moves the position."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.store import Database
from services.broker.adopting import adopted, key_of
from services.broker.domain.amounts import quantity_of
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk
from services.broker.oanda.words import now_ns, time_ns_of
from services.broker.routed import At, Routed, State, Waiting
from services.broker.store import Outcome
from services.broker.venues import oanda_words as words
from services.broker.venues.declared import OandaVenue
from services.broker.venues.oanda_http import Json
from services.broker.venues.oanda_statement import stated_of

PAGE = 100
"""Transactions of one commit."""


class Unit:
    """One commit: orders are read once in it, and are then those of its outcome."""

    def __init__(self, desk: Desk, connection: asyncpg.Connection) -> None:
        self._desk = desk
        self.connection = connection
        self.outcome = Outcome()
        self._read: dict[str, Routed] = {}

    async def order(self, order_id: str) -> Routed | None:
        """An order, locked."""
        if order_id not in self._read:
            found = await self._desk.reading.within(self.connection, order_id)
            if found is None:
                return None
            self._read[order_id] = found
        return self._read[order_id]

    async def named(self, venue_order_id: str) -> Routed | None:
        """The same by the venue's id."""
        for each in self._read.values():
            if each.venue_order_id == venue_order_id:
                return each
        found = await self._desk.reading.named(self.connection, self._desk.venue, venue_order_id)
        return None if found is None else self._read.setdefault(found.order_id, found)

    async def instructed(self, number: int | None) -> Waiting | None:
        """An instruction of this venue."""
        found = await self._desk.reading.instructed(self.connection, number) if number is not None else None
        return found[0] if found is not None and found[1] == self._desk.venue else None

    async def waits(self, number: int) -> bool:
        """Whether an instruction was sent and is not answered."""
        if number in self.outcome.done:
            return False
        state = await self.connection.fetchval("SELECT state FROM instruction WHERE number = $1 FOR UPDATE", number)
        return state == int(State.SENT)

    async def again(self, number: int) -> None:
        """An instruction of which nothing was sent waits again."""
        await self.connection.execute(
            "UPDATE instruction SET state = $2, sent_time = NULL WHERE number = $1", number, int(State.WAITS)
        )

    async def unanswered(self, order_id: str, kind: int) -> Waiting | None:
        """The oldest instruction of a kind that was sent about an order and is not answered."""
        number = await self.connection.fetchval(
            "SELECT number FROM instruction WHERE order_id = $1 AND kind = $2 AND state = $3 "
            "AND number <> ALL($4) ORDER BY number LIMIT 1",
            order_id,
            kind,
            int(State.SENT),
            self.outcome.done,
        )
        return await self.instructed(number)

    def keep(self, order: Routed) -> None:
        """An order that is new here."""
        self._read[order.order_id] = order


class Log:
    """See the module."""

    def __init__(self, desk: Desk, spec: OandaVenue, database: Database, calendar: Calendar, note: Any) -> None:
        self._desk, self._spec, self._database = desk, spec, database
        self._calendar, self._note = calendar, note
        self._positions: dict[str, int] = {}
        self._bases: dict[str, dict[str, int] | None] = {}
        self._one = asyncio.Lock()
        self._taking = asyncio.Lock()
        self.sizes: dict[int, int] = {}
        """What was filled of an order when a replacement was sent, by its instruction."""

    @asynccontextmanager
    async def unit(self) -> AsyncIterator[Unit]:
        """One commit by this venue's holder, one after another.

        Raises:
            StaleWriter: another instance has the venue.
            StoreError: nothing was committed, or whether it was is unknown.
        """
        async with self._one:
            async with self._database.transaction() as connection:
                unit = Unit(self._desk, connection)
                yield unit
                reports = []
                if not unit.outcome.empty:
                    reports = await self._desk.store.within(connection, self._desk.lease, unit.outcome)
            self._desk.store.told(reports)

    def position(self, account: str) -> int:
        """The newest transaction of an account that was taken."""
        return self._positions[account]

    async def known(self, account: str) -> bool:
        """Whether there is a position; it is read."""
        if account not in self._positions:
            async with self._database.connection() as connection:
                found = await connection.fetchrow(
                    "SELECT last_transaction, base FROM v20_venue_position WHERE venue = $1 AND account_id = $2",
                    self._desk.venue,
                    account,
                )
            if found is None:
                return False
            self._positions[account] = found["last_transaction"]
            self._bases[account] = json.loads(found["base"]) if found["base"] is not None else None
        return True

    def base(self, account: str) -> dict[str, int] | None:
        """What an account held by instrument when it began to be followed; None where nobody looked."""
        return self._bases[account]

    async def begin(self, account: str, last: int, base: dict[str, int]) -> None:
        """What was before is not this platform's: the newest transaction, and what the account held then."""
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO v20_venue_position (venue, account_id, last_transaction, base) VALUES ($1, $2, $3, $4) "
                "ON CONFLICT DO NOTHING",
                self._desk.venue,
                account,
                last,
                json.dumps(base),
            )
        self._positions[account], self._bases[account] = last, base

    async def take(self, account: str, transactions: list[Json]) -> None:
        """Takes what is new of some transactions, oldest first."""
        async with self._taking:
            news = [each for each in transactions if int(each["id"]) > self._positions[account]]
            for begin in range(0, len(news), PAGE):
                page = news[begin : begin + PAGE]
                async with self.unit() as unit:
                    for each in page:
                        try:
                            await self._one_of(unit, account, each)
                        except ValueError as error:
                            # It would come again and again: it is told to people, and the log goes on.
                            self._note.error(
                                "a venue's transaction cannot be read", venue=self._desk.venue, why=str(error)
                            )
                    moved = await unit.connection.execute(
                        "UPDATE v20_venue_position SET last_transaction = $3 "
                        "WHERE venue = $1 AND account_id = $2 AND last_transaction < $3 AND EXISTS "
                        "(SELECT 1 FROM lease WHERE name = $4 AND epoch = $5)",
                        self._desk.venue,
                        account,
                        int(page[-1]["id"]),
                        self._desk.lease.name,
                        self._desk.lease.epoch,
                    )
                    assert moved.endswith(" 1"), "another instance has taken these transactions"
                self._positions[account] = int(page[-1]["id"])

    async def _one_of(self, unit: Unit, account: str, said: Json) -> None:
        kind = str(said.get("type", ""))
        if kind.endswith("_ORDER_REJECT"):
            await self._refused(unit, account, said)
        elif kind in words.ENTRIES:
            await self._created(unit, account, said)
        elif kind == "ORDER_FILL":
            await self._filled(unit, account, said)
        elif kind == "ORDER_CANCEL":
            await self._cancelled(unit, account, said)
        elif kind == "ORDER_CANCEL_REJECT":
            await self._not_cancelled(unit, account, said)

    async def _about(self, unit: Unit, account: str, said: Json) -> Routed | None:
        found = await unit.named(f"{account}/{said.get('orderID')}")
        if found is None:
            asked = await unit.instructed(words.instruction_number(said.get("clientOrderID")))
            found = await unit.order(asked.order_id) if asked is not None else None
        return found

    def _tell(self, unit: Unit, account: str, routed: Routed, report: pb.VenueReport, said: Json) -> None:
        self._desk.told(unit.outcome, routed, report, f"{account}/{said['id']}")

    async def _created(self, unit: Unit, account: str, said: Json) -> None:
        extensions = said.get("clientExtensions")
        own = extensions.get("id") if isinstance(extensions, dict) else None
        asked = await unit.instructed(words.instruction_number(own))
        routed = await unit.order(asked.order_id) if asked is not None else None
        if asked is None or routed is None:
            await self._adopt(unit, account, said)
            return
        routed.venue_order_id = f"{account}/{said['id']}"
        if routed.status is not At.ENDED:
            routed.status = At.WORKS
        kind = pb.VENUE_REPORT_KIND_ACCEPTED
        if said.get("replacesOrderID"):
            kind = pb.VENUE_REPORT_KIND_REPLACED
            routed.order, routed.version = asked.order, asked.version
            routed.client_id = words.client_id(asked.number)
            if routed.filled > self.sizes.pop(asked.number, routed.filled):
                self._note.critical("filled while it was replaced: larger than asked for", order=routed.order_id)
        unit.outcome.done.append(asked.number)
        self._tell(unit, account, routed, words.report(kind, said, version=asked.version), said)

    async def _refused(self, unit: Unit, account: str, said: Json) -> None:
        extensions = said.get("clientExtensions")
        own = extensions.get("id") if isinstance(extensions, dict) else None
        asked = await unit.instructed(words.instruction_number(own))
        routed = await unit.order(asked.order_id) if asked is not None else None
        if asked is None or routed is None or not await unit.waits(asked.number):
            return
        text = str(said.get("rejectReason", ""))[:500]
        replaced = asked.kind == words.REPLACE
        kind = pb.VENUE_REPORT_KIND_REPLACE_REJECTED if replaced else pb.VENUE_REPORT_KIND_REJECTED
        if not replaced:
            routed.status = At.ENDED
        reason = execution.EXECUTION_REASON_VENUE
        unit.outcome.done.append(asked.number)
        self._tell(
            unit, account, routed, words.report(kind, said, version=asked.version, reason=reason, text=text), said
        )

    async def _filled(self, unit: Unit, account: str, said: Json) -> None:
        routed = await self._about(unit, account, said)
        if routed is None:
            return  # of an order that is not this platform's, from before
        report = words.fill(self._desk.venue, account, said, routed, self._calendar)
        if report.fill.commission:
            report.fill.commission_currency = self._spec.commission_currency
        routed.filled += quantity_of(report.fill.quantity)
        whole = quantity_of(routed.order.terms.quantity or "0")
        if routed.status is not At.ENDED:
            routed.status = At.ENDED if whole and routed.earlier + routed.filled >= whole else At.WORKS
        self._tell(unit, account, routed, report, said)

    async def _cancelled(self, unit: Unit, account: str, said: Json) -> None:
        routed = await self._about(unit, account, said)
        if routed is None or said.get("reason") == "CLIENT_REQUEST_REPLACED" or said.get("replacedByOrderID"):
            return  # what comes in its place says so
        routed.status = At.ENDED
        asked = await unit.unanswered(routed.order_id, words.CANCEL)
        report = words.ended(said, routed)
        if asked is not None:
            unit.outcome.done.append(asked.number)
        elif report.reason == execution.EXECUTION_REASON_CLIENT:
            report.reason = execution.EXECUTION_REASON_VENUE  # by hand, at the venue
        self._tell(unit, account, routed, report, said)

    async def _not_cancelled(self, unit: Unit, account: str, said: Json) -> None:
        routed = await self._about(unit, account, said)
        asked = await unit.unanswered(routed.order_id, words.CANCEL) if routed is not None else None
        if routed is None or asked is None:
            return
        unit.outcome.done.append(asked.number)
        reason, text = execution.EXECUTION_REASON_TOO_LATE, str(said.get("rejectReason", ""))[:500]
        kind = pb.VENUE_REPORT_KIND_CANCEL_REJECTED
        self._tell(
            unit, account, routed, words.report(kind, said, version=asked.version, reason=reason, text=text), said
        )

    async def _adopt(self, unit: Unit, account: str, said: Json) -> None:
        """An order that nobody here sent: it is one of ours from now on, by an id made of the venue's."""
        stated = stated_of(account, said)
        if stated is None or not self._spec.adopts:
            return
        own = next((name for name, theirs in self._spec.accounts.items() if theirs == account), None)
        time_ns = time_ns_of(str(said.get("time", ""))) or now_ns()
        routed, report = adopted(self._desk.venue, own or self._spec.adopted_account, stated, self._calendar, time_ns)
        if await self._desk.reading.seen(unit.connection, self._desk.venue, key_of(stated)):
            return
        unit.keep(routed)
        self._desk.told(unit.outcome, routed, report, key_of(stated))
