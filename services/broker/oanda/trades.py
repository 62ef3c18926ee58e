"""Trades and positions: closing them, what hangs on them, what they are worth now."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from services.broker.oanda import asking, words
from services.broker.oanda.book import Book, Json, is_open
from services.broker.oanda.desk import Desk
from services.broker.oanda.faults import Refused, bad_value, no_such
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
