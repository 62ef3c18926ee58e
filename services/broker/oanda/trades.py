"""Trades and positions: closing them, what hangs on them, what they are worth now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from crossrate.api.trading.v1 import order_entry_pb2 as entry
from crossrate.api.trading.v1.trading_service_pb2_grpc import TradingServiceStub
from crossrate.rpc.call_error import CallError
from crossrate.store.errors import StoreError
from services.broker.oanda import asking, words
from services.broker.oanda.asking import Asked
from services.broker.oanda.book import PENDING, Book, Json, is_open
from services.broker.oanda.desk import Desk
from services.broker.oanda.faults import Fault, Refused, bad_value, no_such
from services.broker.oanda.fills import DEPENDENT
from services.broker.oanda.pricing import Prices

REACT_S = 5.0
"""How often it is looked for orders that hang on trades which are gone, beside whenever a trade changes."""
KINDS = {"takeProfit": "TAKE_PROFIT", "stopLoss": "STOP_LOSS", "trailingStopLoss": "TRAILING_STOP_LOSS"}


class Trades:
    """Of one account."""

    def __init__(self, desk: Desk, prices: Prices) -> None:
        self._desk = desk
        self._kept = desk.kept
        self._prices = prices

    async def trade(self, specifier: str, still_open: bool = False) -> Json:
        """A trade by its id or "@" and the client's.

        Raises:
            Fault: there is none.
        """
        found = await self._kept.trade(specifier)
        if found is None or (still_open and not is_open(found)):
            raise no_such("Trade", specifier)
        return found

    async def close(self, specifier: str, body: Json, request_id: str) -> Json:
        """Closes a trade, or some units of it.

        Raises:
            Fault: there is none, or the order that closes it was refused.
        """
        trade = await self.trade(specifier, still_open=True)
        held = Decimal(trade["currentUnits"])
        wanted = body.get("units", "ALL")
        content = {"tradeClose": {"tradeID": trade["id"], "units": str(wanted)}}
        try:
            size = asking.part(wanted, "units", abs(held))
        except Refused as refused:
            raise await self._desk.refuse(
                None, refused, {"type": "MARKET", "instrument": trade["instrument"]}
            ) from refused
        if size is None:
            raise bad_value("units", "ALL or a decimal")
        asked = asking.closing(
            self._kept.account, trade["instrument"].replace("_", "/"), -size if held > 0 else size, content
        )
        return await self._desk.place(asked, request_id, "TRADE_CLOSE")

    async def close_position(self, name: str, body: Json, request_id: str) -> Json:
        """Closes the long and the short side of an instrument, or a part of them.

        Raises:
            Fault: there is no such side, or the order that closes it was refused.
        """
        trades = await self._kept.listed("v20_trade", {"open": True, "instrument": name})
        answer: Json = {}
        related: list[str] = []
        found = False
        for side, sign in (("long", 1), ("short", -1)):
            held = sum(
                (abs(Decimal(t["currentUnits"])) for t in trades if Decimal(t["currentUnits"]) * sign > 0), Decimal(0)
            )
            wanted = body.get(f"{side}Units", "NONE" if body else "ALL")
            if wanted == "NONE" or (not held and f"{side}Units" not in body):
                continue
            reject = {"type": "MARKET", "instrument": name}
            if not held:
                raise await self._desk.refuse(
                    None, Refused("CLOSEOUT_POSITION_DOESNT_EXIST", f"{side}Units: there is no {side} position"), reject
                )
            try:
                size = asking.part(wanted, f"{side}Units", held)
            except Refused as refused:
                raise await self._desk.refuse(None, refused, reject) from refused
            assert size is not None
            found = True
            content = {f"{side}PositionCloseout": {"instrument": name, "units": str(wanted)}}
            asked = asking.closing(self._kept.account, name.replace("_", "/"), -sign * size, content)
            made = await self._desk.place(asked, request_id, "POSITION_CLOSEOUT")
            related += made["relatedTransactionIDs"]
            for key in ("orderCreateTransaction", "orderFillTransaction", "orderCancelTransaction"):
                if key in made:
                    answer[f"{side}O{key[1:]}"] = made[key]
        if not found:
            raise no_such("Position", name)
        return answer | self._desk.ids(related)

    # What hangs on a trade.

    async def hang(self, specifier: str, body: Json, request_id: str) -> Json:
        """Sets, replaces and cancels (by null) the orders that hang on a trade.

        Raises:
            Fault: there is no such trade, or an order was refused.
        """
        trade = await self.trade(specifier, still_open=True)
        for key in body:
            if key not in KINDS:
                raise bad_value(key, f"there is no such field; there are {', '.join(KINDS)}")
        pending = await self._pending(trade["id"])
        answer: Json = {}
        related: list[str] = []
        fresh: dict[str, Asked] = {}
        for key, kind in KINDS.items():
            if key not in body:
                continue
            old = pending.get(kind)
            if body[key] is None:
                if old is not None:
                    made = await self._desk.cancel(old["id"], request_id)
                    answer[f"{key}OrderCancelTransaction"] = made["orderCancelTransaction"]
                    related += made["relatedTransactionIDs"]
                    del pending[kind]
                continue
            given = {"type": kind, **asking.mapping(body[key], key)}
            if old is not None:
                made = await self._desk.replace(old["id"], given, request_id, trade)
                _answer(answer, key, made)
                related += made["relatedTransactionIDs"]
                continue
            try:
                fresh[kind] = asking.order_of(self._kept.account, given, trade)
            except Refused as refused:
                raise await self._desk.refuse(None, refused, given) from refused
        if fresh:
            related += await self._add(trade, pending, fresh, answer, request_id)
        return answer | self._desk.ids(related)

    async def _pending(self, trade_id: str) -> dict[str, Json]:
        orders = await self._kept.listed("v20_order", {"open": True})
        return {each["type"]: each for each in orders if each.get("tradeID") == trade_id}

    async def _add(
        self, trade: Json, pending: dict[str, Json], fresh: dict[str, Asked], answer: Json, request_id: str
    ) -> list[str]:
        """New orders; those that hang there already are entered anew with them, since together they cancel each other."""
        related: list[str] = []
        for old in pending.values():
            again = {key: old[key] for key in ("type", "price", "distance", "timeInForce", "gtdTime") if key in old}
            fresh[old["type"]] = asking.order_of(self._kept.account, again, trade)
            related += (await self._desk.cancel(old["id"], request_id))["relatedTransactionIDs"]
        group = list(fresh.values())
        if len(group) == 1:
            made = [await self._desk.place(group[0], request_id)]
        else:
            made = await self._desk.place_linked(group, request_id)
        names = {kind: key for key, kind in KINDS.items()}
        for kind, each in zip(fresh, made, strict=True):
            related += each["relatedTransactionIDs"]
            _answer(answer, names[kind], each)
        return related

    async def name(self, specifier: str, body: Json, request_id: str) -> Json:
        """Other client extensions of a trade."""
        trade = await self.trade(specifier, still_open=True)
        given = asking.extensions(body.get("clientExtensions"))

        def change(book: Book) -> Json:
            now = book.trades.get(trade["id"])
            if now is None:
                raise no_such("Trade", specifier)
            now["clientExtensions"] = now.get("clientExtensions", {}) | given
            book.put_trade(now)
            fields = {"tradeID": trade["id"], "tradeClientExtensionsModify": given, "requestID": request_id}
            return book.add("TRADE_CLIENT_EXTENSIONS_MODIFY", words.now_ns(), **fields)

        made = await self._desk.follower.append(change)
        return {"tradeClientExtensionsModifyTransaction": made} | self._desk.ids([made["id"]])

    # Worth.

    async def valued(self, trades: Sequence[Json], whole: bool = True) -> list[Json]:
        """Trades with what they are worth now; with the orders that hang on them whole, or by their ids alone."""
        quotes = await self._prices.quotes([each["instrument"] for each in trades if is_open(each)])
        pending = await self._kept.listed("v20_order", {"open": True}) if whole else []
        made = []
        for trade in trades:
            shown = dict(trade)
            if is_open(trade):
                shown["unrealizedPL"] = await self._unrealised(trade, quotes)
            if whole:
                for key in DEPENDENT.values():
                    shown.pop(key, None)
                for order in pending:
                    if order.get("tradeID") == trade["id"]:
                        shown[DEPENDENT[order["type"]].removesuffix("ID")] = order
            made.append(shown)
        return made

    async def _unrealised(self, trade: Json, quotes: dict[str, Any]) -> str:
        quote = quotes.get(trade["instrument"])
        if quote is None:
            return "0.0000"
        units = Decimal(trade["currentUnits"])
        price = Decimal(str(quote.bid if units > 0 else quote.ask))
        gain = Decimal(trade["_quote"]) + units * price
        rate = await self._prices.rates.rate(trade["instrument"][4:], self._desk.follower.currency)
        return words.money(gain * rate) if rate is not None else "0.0000"

    async def positions(self, only: str = "", still_open: bool = False) -> list[Json]:
        """Positions by instrument, both sides of each."""
        trades = await self.valued(
            await self._kept.listed("v20_trade", {"open": True, "instrument": only or None}), False
        )
        earned = await self._kept.earned()
        names = {each["instrument"] for each in trades} | (set() if still_open else {name for name, _ in earned})
        return [
            _position(name, [t for t in trades if t["instrument"] == name], earned)
            for name in sorted(names)
            if not only or name == only
        ]


def _answer(answer: Json, key: str, made: Json) -> None:
    for word, name in (
        ("orderCancelTransaction", "OrderCancelTransaction"),
        ("orderCreateTransaction", "OrderTransaction"),
        ("orderFillTransaction", "OrderFillTransaction"),
    ):
        if word in made:
            answer[key + name] = made[word]


def _position(name: str, trades: list[Json], earned: dict[tuple[str, bool], Decimal]) -> Json:
    sides: Json = {}
    for side, sign in (("long", 1), ("short", -1)):
        own = [each for each in trades if Decimal(each["currentUnits"]) * sign > 0]
        held = sum((Decimal(each["currentUnits"]) for each in own), Decimal(0))
        pl = words.money(earned.get((name, sign > 0), Decimal(0)))
        made: Json = {
            "units": words.number(held),
            "pl": pl,
            "resettablePL": pl,
            "unrealizedPL": words.money(sum((Decimal(each["unrealizedPL"]) for each in own), Decimal(0))),
            "financing": "0.0000",
            "guaranteedExecutionFees": "0.0000",
        }
        if own:
            cost = sum((Decimal(each["_quote"]) for each in own), Decimal(0))
            made["averagePrice"] = words.price(abs(cost / held), name.replace("_", "/"))
            made["tradeIDs"] = sorted((each["id"] for each in own), key=int)
        sides[side] = made
    total = {
        key: words.money(Decimal(sides["long"][key]) + Decimal(sides["short"][key]))
        for key in ("pl", "resettablePL", "unrealizedPL")
    }
    return {"instrument": name, **total, "financing": "0.0000", "commission": "0.0000", **sides}


class Reactor:
    """Ends orders that hang on trades which are gone, and cuts those that are larger than their trade. `run` is a task.

    It works from what is kept, so that nothing is forgotten by a kill, and repeats itself under the same ids.
    """

    def __init__(self, desk: Desk, trading: TradingServiceStub, note: Any) -> None:
        self._desk = desk
        self._trading = trading
        self._note = note

    async def run(self) -> None:
        """Works whenever a trade has changed, until it is cancelled."""
        changed = self._desk.follower.closed
        while True:
            changed.clear()
            try:
                await self._look()
            except (CallError, StoreError, Fault) as error:
                self._note.warning("orders of trades wait", account=self._desk.kept.account, why=str(error))
                await asyncio.sleep(1.0)
            try:
                async with asyncio.timeout(REACT_S):
                    await changed.wait()
            except TimeoutError:
                continue

    async def _look(self) -> None:
        kept = self._desk.kept
        orders = [each for each in await kept.listed("v20_order", {"open": True}) if "tradeID" in each]
        if not orders:
            return
        ids = [int(each["tradeID"]) for each in orders]
        trades = {each["id"]: each for each in await kept.listed("v20_trade", {"ids": ids})}
        for order in orders:
            trade = trades.get(order["tradeID"])
            if order["state"] != PENDING or trade is None or order.get("_pending"):
                continue
            account, root = kept.account, order["_root"]
            left = Decimal(order.get("_quantity") or 0) - Decimal(order.get("_cum") or 0)
            held = abs(Decimal(trade["currentUnits"]))
            try:
                if not is_open(trade):
                    name = words.same_id(account, "cancel", root)
                    await self._trading.CancelOrder(
                        entry.CancelOrderRequest(request_id=name, account=account, client_order_id=root)
                    )
                elif left > held:
                    whole = words.number(held + Decimal(order.get("_cum") or 0))
                    name = words.same_id(account, "cut", root, whole)
                    await self._trading.AmendOrder(
                        entry.AmendOrderRequest(request_id=name, account=account, client_order_id=root, quantity=whole)
                    )
            except CallError as error:
                # It has just ended, or something else is under way there: looked at again.
                if error.reason not in ("WRONG_STATE", "NOT_FOUND", "INVALID_REQUEST", "VERSION_CONFLICT"):
                    raise
