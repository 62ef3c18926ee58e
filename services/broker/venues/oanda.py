"""A venue that speaks the OANDA v20 REST API.

What is about to be sent commits with the instruction's mark, and is sent once under the instruction's number as the
client's id. What became of it is told by the venue's transactions alone, which are numbered without a gap: they are
taken in their order, each in the commit that moves the position. The stream brings them; what it missed is asked for by
the position. A request without an answer is never sent again: the venue is asked for the client's id, until the order
is there or could not be on its way any more.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.store import Database
from services.broker.domain.amounts import quantity_of
from services.broker.domain.books import StatedOrder, Statement
from services.broker.domain.dates import Calendar
from services.broker.engine.desk import Desk
from services.broker.engine.session import Session
from services.broker.routed import At, Routed, Waiting
from services.broker.store import Outcome
from services.broker.venues import oanda_words as words
from services.broker.venues.declared import OandaVenue
from services.broker.venues.oanda_http import Json, OandaHttp, Turned, Unknown
from services.broker.venues.oanda_log import Log
from services.broker.venues.oanda_statement import known, positions_of, stated_of
from services.broker.venues.owned import own_order

CHECK_S = 0.5
"""How often it is looked whether something waits for too long."""
NEW, CANCEL = routing.INSTRUCTION_KIND_NEW, routing.INSTRUCTION_KIND_CANCEL
REPLACE, STATUS = routing.INSTRUCTION_KIND_REPLACE, routing.INSTRUCTION_KIND_STATUS
REFUSED = {NEW: pb.VENUE_REPORT_KIND_REJECTED, REPLACE: pb.VENUE_REPORT_KIND_REPLACE_REJECTED}


class OandaAdapter:
    """See the module.

    Args:
        elsewhere: another venue for an order that could not be sent here; None for none.
    """

    def __init__(
        self,
        desk: Desk,
        spec: OandaVenue,
        folder: Path,
        database: Database,
        calendar: Calendar,
        elsewhere: Callable[[Waiting], Awaitable[str | None]],
        note: Any,
    ) -> None:
        self._desk, self._spec, self._folder, self._database = desk, spec, folder, database
        self._elsewhere, self._note = elsewhere, note
        self._log = Log(desk, spec, database, calendar, note)
        self._http: OandaHttp
        self._accounts = sorted({spec.account_id, *spec.accounts.values()})
        self._standing: set[str] = set()
        self._sent_s: dict[int, float] = {}
        self._began_s = time.monotonic()
        self._ready = False
        self._going: set[str] = set()
        """Orders about which a request is under way."""

    async def run(self) -> None:
        """See Adapter."""
        self._http = OandaHttp(self._spec, self._folder)
        self._desk.become(Session.CONNECTING, self._spec.url or self._spec.environment)
        try:
            async with asyncio.TaskGroup() as group:
                for each in self._accounts:
                    group.create_task(self._follow(each))
                group.create_task(self._work(group))
        finally:
            await self._http.close()

    def _account(self, routed: Routed) -> str:
        return self._spec.accounts.get(routed.account, self._spec.account_id)

    # What the venue says.

    async def _follow(self, account: str) -> None:
        """Takes the transactions of an account, over all connections."""
        failures = 0
        while True:
            try:
                await self._catch_up(account)
                async for line in self._http.lines(f"/v3/accounts/{account}/transactions/stream"):
                    await self._heard(account, line)
                    failures = 0
                    if account not in self._standing:
                        self._standing.add(account)
                        self._desk.wake.set()
                why = "the venue ended its stream"
            except (Turned, Unknown) as error:
                why = str(error)
            self._standing.discard(account)
            self._ready = False
            self._desk.become(Session.CONNECTING, f"{account}: {why}"[:500])
            pause_s = min(self._spec.reconnect.cap_s, self._spec.reconnect.first_s * 2 ** min(failures, 16))
            failures += 1
            await asyncio.sleep(pause_s * random.uniform(0.5, 1))

    async def _heard(self, account: str, line: Json) -> None:
        position = self._log.position(account)
        if line.get("type") == "HEARTBEAT":
            if _whole(line.get("lastTransactionID")) > position:
                await self._catch_up(account)
        elif _whole(line.get("id")) == position + 1:
            await self._log.take(account, [line])
        elif _whole(line.get("id")) > position:
            await self._catch_up(account)

    async def _catch_up(self, account: str) -> None:
        """Everything after the position; of an account that is new, from now on."""
        if not await self._log.known(account):
            told = await self._http.ask("GET", f"/v3/accounts/{account}/openPositions")
            await self._log.begin(account, _whole(told.get("lastTransactionID")), positions_of(told))
        while True:
            position = self._log.position(account)
            found = await self._http.ask("GET", f"/v3/accounts/{account}/transactions/sinceid", id=str(position))
            news = found.get("transactions") or []
            if not isinstance(news, list) or not all(isinstance(each, dict) for each in news):
                raise Unknown("the venue's transactions are none")
            await self._log.take(account, news)
            if not news or self._log.position(account) >= _whole(found.get("lastTransactionID")):
                return
            if self._log.position(account) == position:
                raise Unknown(f"transactions after {position} are missing at the venue")

    # What goes out.

    async def _work(self, group: asyncio.TaskGroup) -> None:
        doubts_s = 0.0
        while True:
            self._desk.wake.clear()
            if len(self._standing) == len(self._accounts):
                if not self._ready:
                    await self._recover()
                await self._pass(group)
                if time.monotonic() - doubts_s > 1.0:
                    doubts_s = time.monotonic()
                    await self._doubt(group)
            else:
                await self._age()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await self._desk.wake.wait()

    async def _recover(self) -> None:
        """Orders that were sent and not answered when this instance began are unknown, and will be asked for."""
        count = 0
        async with self._log.unit() as unit:
            for each in await self._desk.reading.open_orders(self._desk.venue):
                routed = await unit.order(each.order_id)
                if routed is not None and routed.status is At.SENT and each.order_id not in self._going:
                    self._doubtful(unit.outcome, routed, "the venue had not answered: it is being asked")
                    count += 1
        self._ready = True
        self._desk.become(Session.READY, f"{count} orders are being asked for" if count else "")

    async def _pass(self, group: asyncio.TaskGroup) -> None:
        room = 4 * self._spec.connections_max - len(self._going)
        waiting = await self._desk.reading.waiting(self._desk.venue, 100)
        chosen: list[tuple[Waiting, Routed, Json]] = []
        async with self._log.unit() as unit:
            for each in waiting:
                if len(chosen) >= room or each.order_id in self._going | {w.order_id for w, *_ in chosen}:
                    continue
                routed = await unit.order(each.order_id)
                if routed is None:
                    unit.outcome.done.append(each.number)
                elif (body := self._prepared(unit.outcome, routed, each)) is not None:
                    chosen.append((each, routed, body))
        for each, routed, body in chosen:
            self._sent_s[each.number] = time.monotonic()
            self._going.add(each.order_id)
            group.create_task(self._send(each, routed, body))

    def _prepared(self, outcome: Outcome, routed: Routed, each: Waiting) -> Json | None:
        """The body of what is to be sent, which is marked as sent; None for what is not, or not now."""
        if routed.status is At.UNKNOWN and each.kind != STATUS:
            return None  # first it is found out whether the order is there
        try:
            if each.kind == STATUS or (each.kind == NEW and routed.status is not At.HERE):
                outcome.done.append(each.number)
                return None
            body: Json = {}
            if each.kind == NEW:
                if each.age_s > self._spec.unsent_s_max:
                    raise words.Unfit(f"it waited {each.age_s:.0f} s for its venue: not sent late")
                if quantity_of(routed.order.terms.quantity) > quantity_of(self._spec.limits.order_quantity_max):
                    raise words.Unfit(f"quantity: the venue's limit is {self._spec.limits.order_quantity_max} an order")
                body = words.new_order(routed, each.number)
                routed.status, routed.client_id = At.SENT, words.client_id(each.number)
                outcome.orders[routed.order_id] = routed
                self._desk.sends(routed)
            elif routed.status is At.ENDED:
                raise words.Unfit("the order has ended")
            elif each.kind == REPLACE:
                body = words.replacement(routed, each.order, each.number)
        except words.Unfit as unfit:
            self._refuse(outcome, routed, each, str(unfit), late=routed.status is At.ENDED)
            return None
        outcome.sent.append(each.number)
        return body

    async def _send(self, each: Waiting, routed: Routed, body: Json) -> None:
        path = f"/v3/accounts/{self._account(routed)}/orders"
        mine = routed.venue_order_id.rpartition("/")[2] or f"@{routed.client_id}"
        try:
            if each.kind == NEW:
                await self._http.ask("POST", path, body)
            elif each.kind == REPLACE:
                self._log.sizes[each.number] = routed.filled
                await self._http.ask("PUT", f"{path}/{mine}", body)
            else:
                await self._http.ask("PUT", f"{path}/{mine}/cancel")
        except Turned as turned:
            with contextlib.suppress(Turned, Unknown):
                if turned.status:
                    # What it did before it said so is in its transactions, and goes first.
                    await self._catch_up(self._account(routed))
                await self._turned(each, turned)
        except Unknown as unknown:
            if each.kind == NEW:
                async with self._log.unit() as unit:
                    now = await unit.order(each.order_id)
                    if now is not None and now.status is At.SENT:
                        self._doubtful(unit.outcome, now, f"{unknown}: the venue is being asked")
        finally:
            self._going.discard(each.order_id)
            self._desk.wake.set()

    async def _turned(self, each: Waiting, turned: Turned) -> None:
        """The venue did not do it; a transaction that says so may have come already."""
        async with self._log.unit() as unit:
            now = await unit.order(each.order_id)
            if now is None or not await unit.waits(each.number):
                return
            if turned.status == 0 and each.kind == NEW and now.status is At.SENT:
                # Not a byte was sent: it waits again, and may go elsewhere.
                now.status = At.HERE
                unit.outcome.orders[now.order_id] = now
            if turned.status == 0:
                await unit.again(each.number)
                return
            late = turned.status == 404 or now.status is At.ENDED
            self._refuse(unit.outcome, now, each, str(turned), late=late, venue=True)

    def _doubtful(self, outcome: Outcome, routed: Routed, text: str) -> None:
        routed.status = At.UNKNOWN
        self._tell(outcome, routed, pb.VenueReport(kind=pb.VENUE_REPORT_KIND_UNKNOWN, text=text))

    async def _doubt(self, group: asyncio.TaskGroup) -> None:
        """Asks for what was sent and not answered for too long; a cancel is sent again, which does no harm."""
        unanswered = await self._desk.reading.unanswered(self._desk.venue)
        if len(self._sent_s) > 4 * (len(unanswered) + 100):
            numbers = {each.number for each in unanswered}
            self._sent_s = {n: at for n, at in self._sent_s.items() if n in numbers or time.monotonic() - at < 60}
        for each in unanswered:
            since_s = time.monotonic() - self._sent_s.get(each.number, self._began_s)
            if since_s < min(2.0, self._spec.answer_s_max) or each.order_id in self._going:
                continue
            self._going.add(each.order_id)
            group.create_task(self._resolve(each, since_s))

    async def _resolve(self, each: Waiting, since_s: float) -> None:
        try:
            routed = (await self._desk.reading.orders([each.order_id])).get(each.order_id)
            if routed is None:
                return
            account = self._account(routed)
            if each.kind == CANCEL:
                await self._send(each, routed, {})
                return
            try:
                await self._http.ask("GET", f"/v3/accounts/{account}/orders/@{words.client_id(each.number)}")
            except Turned as turned:
                if turned.status != 404 or since_s < self._spec.unknown_s_max:
                    return
                async with self._log.unit() as unit:
                    now = await unit.order(each.order_id)
                    if now is not None and await unit.waits(each.number):
                        self._refuse(unit.outcome, now, each, "the venue never had it: it was not sent again")
                return
            await self._catch_up(account)  # it is there: its transactions say the rest
        except (Turned, Unknown):
            return  # asked again
        finally:
            self._going.discard(each.order_id)

    async def _age(self) -> None:
        """While there is no session: new orders go elsewhere, or are refused once they have waited too long."""
        async with self._log.unit() as unit:
            for each in await self._desk.reading.waiting(self._desk.venue, 100):
                if each.kind != NEW:
                    continue
                routed = await unit.order(each.order_id)
                if routed is None or routed.status is not At.HERE:
                    continue
                other = None if each.pinned else await self._elsewhere(each)
                if other is not None:
                    routed.venue = other
                    unit.outcome.orders[routed.order_id] = routed
                    unit.outcome.moved.append((each.number, other))
                elif each.age_s > self._spec.unsent_s_max:
                    self._refuse(unit.outcome, routed, each, f"it waited {each.age_s:.0f} s for its venue")

    # The books.

    copied = False
    """See Adapter: the API has no second record of fills."""
    copy_since_ns = None
    latency_s = 0.0

    async def statement(self) -> Statement | None:
        """See Adapter. Of one moment: both sides at the same transaction of every account."""
        if not self._ready:
            return None
        stated: list[StatedOrder] = []
        positions: Counter[str] | None = Counter()
        try:
            for account in self._accounts:
                told = await self._http.ask("GET", f"/v3/accounts/{account}/pendingOrders")
                held = await self._http.ask("GET", f"/v3/accounts/{account}/openPositions")
                await self._catch_up(account)
                if {self._log.position(account)} != {_whole(each.get("lastTransactionID")) for each in (told, held)}:
                    return None  # it moved on meanwhile: asked again
                base = self._log.base(account)
                if base is None or positions is None:
                    positions = None  # nobody looked what it held before
                else:
                    positions.update(positions_of(held))
                    positions.subtract(base)
                orders = [each for each in told.get("orders") or [] if isinstance(each, dict)]
                stated += [each for each in (stated_of(account, order) for order in orders) if each is not None]
        except (Turned, Unknown):
            return None
        reading, venue = self._desk.reading, self._desk.venue
        unanswered = await reading.unanswered_s(venue)
        own = {o.order_id: own_order(o, unanswered.get(o.order_id, 0.0)) for o in await reading.open_orders(venue)}
        by_id = {each.venue_order_id: each for each in own.values()}
        async with self._log.unit() as unit:
            for each in stated:
                # One that works there and has ended here is ours all the same.
                if each.venue_order_id not in by_id and (found := await unit.named(each.venue_order_id)) is not None:
                    own[found.order_id] = by_id[each.venue_order_id] = own_order(found)
        orders = tuple(known(each, by_id.get(each.venue_order_id)) for each in stated)
        return Statement(orders, dict(positions) if positions is not None else None, own=own)

    async def cancel_there(self, stated: StatedOrder) -> None:
        """See Adapter."""
        account, _, order_id = stated.venue_order_id.rpartition("/")
        with contextlib.suppress(Turned, Unknown):
            await self._http.ask("PUT", f"/v3/accounts/{account}/orders/{order_id}/cancel")

    def _refuse(
        self, outcome: Outcome, routed: Routed, each: Waiting, text: str, *, late: bool = False, venue: bool = False
    ) -> None:
        kind = REFUSED.get(each.kind, pb.VENUE_REPORT_KIND_CANCEL_REJECTED)
        reason = execution.EXECUTION_REASON_VENUE if venue else execution.EXECUTION_REASON_NO_VENUE
        if kind == pb.VENUE_REPORT_KIND_REJECTED:
            routed.status = At.ENDED
        elif late:
            reason = execution.EXECUTION_REASON_TOO_LATE
        self._tell(outcome, routed, pb.VenueReport(kind=kind, text=text[:500], reason=reason, version=each.version))
        outcome.done.append(each.number)

    def _tell(self, outcome: Outcome, routed: Routed, report: pb.VenueReport) -> None:
        report.venue_time.GetCurrentTime()
        self._desk.told(outcome, routed, report)


def _whole(value: Any) -> int:
    """A transaction's id.

    Raises:
        Unknown: it is none.
    """
    text = str(value)
    if not text.isascii() or not text.isdecimal() or len(text) > 18:
        raise Unknown(f"the venue's transaction has the id {text[:40]!r}")
    return int(text)
