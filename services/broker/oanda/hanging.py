"""Take profits, stop losses and trailing stops: what hangs on a trade, together, until the trade is gone.

In trading they are one list of which one cancels the others. So that one may be added or taken away alone, all of them
are entered anew then. What is wanted is kept in the trade first, with the ids that the orders will have: a kill leaves
what is to be done, and doing it twice does nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.rpc.call_error import CallError
from crossrate.store.errors import StoreError
from services.broker.oanda import asking, words
from services.broker.oanda.asking import Asked
from services.broker.oanda.book import PENDING, Book, Json, is_open
from services.broker.oanda.desk import CANCEL_S_MAX, FINAL, Desk
from services.broker.oanda.faults import Fault, Refused, bad_value, no_such, unavailable

REACT_S = 5.0
"""How often it is looked for what is to be done, beside whenever a trade changes."""
KINDS = {"takeProfit": "TAKE_PROFIT", "stopLoss": "STOP_LOSS", "trailingStopLoss": "TRAILING_STOP_LOSS"}
KEYS = {kind: key for key, kind in KINDS.items()}
_TERMS = ("type", "price", "distance", "timeInForce", "gtdTime", "triggerCondition", "clientExtensions")


class Hanging:
    """Of one account."""

    def __init__(self, desk: Desk, trading: TradingServiceStub) -> None:
        self._desk = desk
        self._kept = desk.kept
        self._trading = trading
        self._working = asyncio.Lock()

    async def pending(self, trade_id: str) -> dict[str, Json]:
        """The orders that hang on a trade now, by type."""
        orders = await self._kept.listed("v20_order", {"open": True, "count": 10_000})
        return {each["type"]: each for each in orders if each.get("tradeID") == trade_id}

    async def hang(self, specifier: str, body: Mapping[str, Any], request_id: str) -> Json:
        """Sets, replaces and cancels (by null) the orders that hang on a trade.

        Raises:
            Fault: there is no such trade, or an order was refused: what hung there hangs there.
        """
        trade = await self._kept.trade(specifier)
        if trade is None or not is_open(trade):
            raise no_such("Trade", specifier)
        for key in body:
            if key not in KINDS:
                raise bad_value(key, f"there is no such field; there are {', '.join(KINDS)}")
        async with self._working:
            before = await self.pending(trade["id"])
            wanted = {kind: _terms(order) for kind, order in before.items()}
            answer: Json = {}
            related: list[str] = []
            for key, value in body.items():
                kind = KINDS[key]
                if value is None:
                    wanted.pop(kind, None)
                    continue
                given = {"type": kind, **asking.mapping(value, key)}
                if kind in before:
                    made = await self._desk.replace(before[kind]["id"], given, request_id, trade)
                    _tell(answer, key, made)
                    related += made["relatedTransactionIDs"]
                    wanted[kind] = _terms(await self._desk.order(made["orderCreateTransaction"]["id"]))
                else:
                    self._check(trade, given)
                    wanted[kind] = given
            if wanted.keys() != before.keys():
                related += await self._anew(trade, before, wanted, answer, request_id)
        return answer | self._desk.ids(related)

    async def cancel(self, order: Json, request_id: str) -> Json:
        """Cancels one of them; the others stay, under new ids.

        Raises:
            Fault: as `hang`.
        """
        key = KEYS[order["type"]]
        made = await self.hang(order["tradeID"], {key: None}, request_id)
        cancelled = made.get(f"{key}OrderCancelTransaction")
        if cancelled is None:
            raise no_such("Order", order["id"])
        return {"orderCancelTransaction": cancelled} | self._desk.ids(made["relatedTransactionIDs"])

    def _check(self, trade: Json, given: Json) -> Asked:
        try:
            asked = asking.order_of(self._kept.account, given, trade)
        except Refused as refused:
            raise Fault(400, refused.message, refused.reason) from refused
        for field, text in (("price", asked.order.limit_price or asked.order.stop_price),):
            if text and -Decimal(text).as_tuple().exponent > words.places_of(asked.order.instrument):  # type: ignore[operator]
                raise Fault(400, f"{field}: more decimal places than the instrument has", "PRICE_PRECISION_EXCEEDED")
        return asked

    async def _anew(
        self, trade: Json, before: dict[str, Json], wanted: dict[str, Json], answer: Json, request_id: str
    ) -> list[str]:
        """Enters all of them anew; if that is refused, those that were there."""
        try:
            roots = await self._want(trade["id"], wanted, request_id)
            await self._settle(trade["id"])
        except Fault as fault:
            if fault.status != 503:
                await self._want(trade["id"], {kind: _terms(order) for kind, order in before.items()}, request_id)
                await self._settle(trade["id"])
            raise
        related = []
        for kind, order in before.items():
            ended = [each for each in await self._kept.about(int(order["id"])) if each["type"] == "ORDER_CANCEL"]
            if ended:
                answer.setdefault(f"{KEYS[kind]}OrderCancelTransaction", ended[-1])
                related.append(ended[-1]["id"])
        for kind, root in roots.items():
            made = await self._desk.told((await self._kept.orders_of(root))[0])
            _tell(answer, KEYS[kind], made)
            related += made["relatedTransactionIDs"]
        return related

    async def _want(self, trade_id: str, wanted: dict[str, Json], request_id: str) -> dict[str, str]:
        """Keeps what is wanted, and the ids that the orders will have."""

        def change(book: Book) -> dict[str, str]:
            trade = book.trades.get(trade_id)
            if trade is None:
                raise no_such("Trade", trade_id)
            number = trade["_generation"] = trade.get("_generation", 0) + 1
            names = {kind: f"{asking.ROOT}{trade_id}.{number}.{KEYS[kind]}" for kind in wanted}
            trade["_wanted"] = {"roots": names, "orders": wanted, "requestID": request_id}
            book.put_trade(trade)
            return names

        return await self._desk.follower.append(change)

    async def _settle(self, trade_id: str) -> None:
        """Does what is wanted of a trade, as far as it was not done yet.

        Raises:
            Fault: an order was refused, or something is away.
        """
        trade = await self._kept.trade(trade_id)
        if trade is None or "_wanted" not in trade:
            return
        wanted = trade["_wanted"]
        roots: dict[str, str] = wanted["roots"]
        await self._clear(trade_id, set(roots.values()))
        if is_open(trade) and roots:
            group = []
            for kind, root in roots.items():
                asked = self._check(trade, wanted["orders"][kind])
                asked.order.client_order_id, asked.client_id = root, None
                group.append(asked)
            if len(group) == 1:
                await self._desk.place(group[0], wanted["requestID"], again=True)
            else:
                await self._desk.place_linked(group, wanted["requestID"])

        def done(book: Book) -> None:
            now = book.trades.get(trade_id)
            if now is not None and now.get("_wanted", {}).get("roots") == roots:
                del now["_wanted"]
                book.put_trade(now)

        await self._desk.follower.append(done)

    async def _clear(self, trade_id: str, keep: set[str]) -> None:
        """Cancels what hangs on a trade beside some, and waits until it is gone."""

        async def others() -> list[Json]:
            return [each for each in (await self.pending(trade_id)).values() if each["_root"] not in keep]

        for order in await others():
            await _cancel(self._trading, self._kept.account, order["_root"])

        async def gone() -> bool:
            return not await others()

        if not await self._desk.follower.until(gone, CANCEL_S_MAX):
            raise unavailable("what hangs on the trade is being cancelled; its venue has not answered yet")

    # By itself.

    async def look(self) -> None:
        """Goes on with what was not finished; ends orders whose trades are gone, cuts those larger than their trade."""
        async with self._working:
            for trade in await self._kept.listed("v20_trade", {"open": True, "count": 10_000}):
                if "_wanted" in trade:
                    await self._settle(trade["id"])
        orders = [e for e in await self._kept.listed("v20_order", {"open": True, "count": 10_000}) if "tradeID" in e]
        ids = [int(each["tradeID"]) for each in orders]
        trades = {each["id"]: each for each in await self._kept.listed("v20_trade", {"ids": ids, "count": 10_000})}
        for order in orders:
            trade = trades.get(order["tradeID"])
            if order["state"] == PENDING and trade is not None and not order.get("_pending"):
                await self._follow(order, trade)

    async def _follow(self, order: Json, trade: Json) -> None:
        account, root = self._kept.account, order["_root"]
        if not is_open(trade):
            await _cancel(self._trading, account, root)
            return
        cum, held = Decimal(order.get("_cum") or 0), abs(Decimal(trade["currentUnits"]))
        if Decimal(order.get("_quantity") or 0) - cum <= held:
            return
        whole = words.number(held + cum)
        name = words.same_id(account, "cut", root, whole)
        request = entry.AmendOrderRequest(request_id=name, account=account, client_order_id=root, quantity=whole)
        try:
            await self._trading.AmendOrder(request)
        except CallError as error:
            if error.reason not in FINAL:
                raise


async def _cancel(trading: TradingServiceStub, account: str, root: str) -> None:
    request = entry.CancelOrderRequest(
        request_id=words.same_id(account, "cancel", root), account=account, client_order_id=root
    )
    try:
        await trading.CancelOrder(request)
    except CallError as error:
        if error.reason not in FINAL:
            raise  # what has just ended is as it should be


def _terms(order: Json) -> Json:
    return {key: order[key] for key in _TERMS if key in order}


def _tell(answer: Json, key: str, made: Json) -> None:
    for word, name in (
        ("orderCancelTransaction", "OrderCancelTransaction"),
        ("orderCreateTransaction", "OrderTransaction"),
        ("orderFillTransaction", "OrderFillTransaction"),
    ):
        if word in made:
            answer[key + name] = made[word]


class Reactor:
    """Looks whenever a trade has changed, at what is kept: a kill makes it forget nothing. `run` is a task."""

    def __init__(self, hanging: Hanging, desk: Desk, note: Any) -> None:
        self._hanging = hanging
        self._desk = desk
        self._note = note

    async def run(self) -> None:
        """Works, until it is cancelled."""
        changed = self._desk.follower.closed
        failures = 0
        while True:
            changed.clear()
            try:
                await self._hanging.look()
                failures = 0
            except (CallError, StoreError, Fault, TimeoutError) as error:
                failures += 1
                if failures == 3:
                    self._note.warning("orders of trades wait", account=self._desk.kept.account, why=str(error))
                await asyncio.sleep(1.0)
            try:
                async with asyncio.timeout(REACT_S):
                    await changed.wait()
            except TimeoutError:
                continue
