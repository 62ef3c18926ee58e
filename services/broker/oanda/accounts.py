"""Accounts: what they have, by the ledger; what has changed in them since a transaction."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from decimal import Decimal

from crossrate.api.ledger.v1 import account_pb2, account_service_pb2, balance_pb2, ledger_service_pb2
from crossrate.api.ledger.v1.account_service_pb2_grpc import AccountServiceStub
from crossrate.api.ledger.v1.ledger_service_pb2_grpc import LedgerServiceStub
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.rpc.call_error import CallError
from services.broker.oanda import words
from services.broker.oanda.book import Json
from services.broker.oanda.desk import Desk
from services.broker.oanda.faults import Fault, bad_value, no_such, unavailable
from services.broker.oanda.trades import Trades

CHANGES_MAX = 5000
BEHIND_S_MAX = 1.0
"""So long an answer waits for the ledger to have applied the reports of which the transactions tell already."""
BEHIND_PAUSE_S = 0.01
ATTEMPTS = 5
"""How often profit and balances are read until they are of the same entry."""
CLOSE_OUT = Decimal("0.5")
"""Equity over margin used at which the ledger says that positions are to be closed."""


class Accounts:
    """Of one account."""

    def __init__(self, desk: Desk, trades: Trades, accounts: AccountServiceStub, ledger: LedgerServiceStub) -> None:
        self._desk = desk
        self._kept = desk.kept
        self._trades = trades
        self._accounts = accounts
        self._ledger = ledger

    async def summary(self) -> Json:
        """Balance, profit and margin, as the ledger has them now: of the same entry, unless entries come faster than
        they are read.

        Raises:
            Fault: the ledger cannot be asked.
        """
        name = self._kept.account
        try:
            account = (await self._accounts.GetAccount(account_service_pb2.GetAccountRequest(account=name))).account
        except CallError as error:
            raise unavailable(f"accounts: {error.message}") from error
        last, balances = self._desk.follower.last_transaction, await self._balances()
        for _ in range(ATTEMPTS):
            total, before = await self._profit(), balances
            balances = await self._balances()
            if balances.last_entry == before.last_entry:
                break
        orders = await self._kept.listed("v20_order", {"open": True, "count": 10_000})
        trades = await self._kept.listed("v20_trade", {"open": True, "count": 10_000})
        return {
            "id": name,
            "alias": account.display_name or name,
            "currency": account.currency,
            "createdByUserID": 1,
            "createdTime": words.time_text(account.create_time.ToNanoseconds()),
            "guaranteedStopLossOrderMode": "DISABLED",
            "pl": _amount(total.realised),
            "resettablePL": _amount(total.realised),
            "financing": _amount(total.financing),
            "commission": _amount(total.commission),
            "guaranteedExecutionFees": "0.0000",
            "marginRate": account.margin_rate,
            "hedgingEnabled": account.position_mode == account_pb2.POSITION_MODE_HEDGING,
            "openTradeCount": len(trades),
            "openPositionCount": len({each["instrument"] for each in trades}),
            "pendingOrderCount": len(orders),
            **_state(balances),
            "lastTransactionID": str(last),
        }

    async def _profit(self) -> balance_pb2.ProfitAndLoss:
        request = ledger_service_pb2.GetProfitAndLossRequest(account=self._kept.account)
        try:
            return (await self._ledger.GetProfitAndLoss(request)).total
        except CallError as error:
            raise unavailable(f"profit: {error.message}") from error

    async def _balances(self) -> balance_pb2.Balances:
        """The ledger's balances with everything in them of which transactions tell, unless the ledger is far behind."""
        request = ledger_service_pb2.GetBalancesRequest(account=self._kept.account)
        wanted, end_s = self._desk.follower.last_report, time.monotonic() + BEHIND_S_MAX
        while True:
            try:
                balances = (await self._ledger.GetBalances(request)).balances
            except CallError as error:
                raise unavailable(f"balances: {error.message}") from error
            if balances.execution_sequence >= wanted or balances.fault or time.monotonic() > end_s:
                return balances
            await asyncio.sleep(BEHIND_PAUSE_S)

    async def whole(self) -> Json:
        """The summary with all trades, positions and orders."""
        trades = await self._kept.listed("v20_trade", {"open": True, "count": 10_000})
        return {
            **await self.summary(),
            "trades": await self._trades.valued(trades, whole=False),
            "positions": await self._trades.positions(),
            "orders": await self._kept.listed("v20_order", {"open": True, "count": 10_000}),
        }

    async def instruments(self, only: Sequence[str]) -> list[Json]:
        """What may be dealt.

        Raises:
            Fault: there is no such instrument, or the account cannot be asked.
        """
        request = account_service_pb2.GetAccountRequest(account=self._kept.account)
        try:
            rate = (await self._accounts.GetAccount(request)).account.margin_rate
        except CallError as error:
            raise unavailable(f"accounts: {error.message}") from error
        for name in only:
            if words.instrument_of(name) is None:
                raise bad_value("instruments", f"{name[:20]!r} is none")
        names = only or [
            f"{p.base}_{p.counter}" for p, c in CONVENTIONS.items() if c.direct and c.last_trade_date is None
        ]
        return [_instrument(each, rate) for each in names]

    async def changes(self, since: int) -> Json:
        """What has changed since a transaction, and what changes with prices.

        Raises:
            Fault: there is no such transaction, or too many came since.
        """
        last = self._desk.follower.last_transaction
        if not 0 <= since <= last:
            raise no_such("Transaction", str(since))
        if last - since > CHANGES_MAX:
            raise Fault(
                400, f"sinceTransactionID: more than {CHANGES_MAX} transactions: read them and the account anew"
            )
        news = await self._kept.transactions(since + 1, last, limit=CHANGES_MAX)
        orders = await self._kept.listed("v20_order", {"ids": [int(e["orderID"]) for e in news if "orderID" in e]})
        created = await self._kept.listed(
            "v20_order", {"ids": [int(e["id"]) for e in news if e["type"].endswith("_ORDER")]}
        )
        touched = {key: [] for key in ("tradeOpened", "tradeReduced", "tradesClosed")}
        for each in news:
            for key, ids in touched.items():
                values = each.get(key, [])
                ids += [int(v["tradeID"]) for v in (values if isinstance(values, list) else [values])]
        found = await self._kept.listed("v20_trade", {"ids": [i for ids in touched.values() for i in ids]})
        trades = {int(each["id"]): each for each in await self._trades.valued(found, whole=False)}
        names = {each["instrument"] for each in trades.values()}
        everywhere = await self._trades.positions()
        pending = await self._kept.listed("v20_order", {"open": True})
        still_open = await self._kept.listed("v20_trade", {"open": True})
        valued = await self._trades.valued(still_open, whole=False)
        return {
            "changes": {
                "ordersCreated": created,
                "ordersCancelled": [each for each in orders if each["state"] == "CANCELLED"],
                "ordersFilled": [each for each in orders if each["state"] == "FILLED"],
                "ordersTriggered": [],
                "tradesOpened": [trades[i] for i in touched["tradeOpened"] if i in trades],
                "tradesReduced": [trades[i] for i in touched["tradeReduced"] if i in trades],
                "tradesClosed": [trades[i] for i in touched["tradesClosed"] if i in trades],
                "positions": [each for each in everywhere if each["instrument"] in names],
                "transactions": news,
            },
            "state": {
                **_state(await self._balances()),
                "orders": [_dynamic(e) for e in pending if "trailingStopValue" in e],
                "trades": [{"id": each["id"], "unrealizedPL": each["unrealizedPL"]} for each in valued],
                "positions": [
                    {"instrument": e["instrument"], "netUnrealizedPL": e["unrealizedPL"]} for e in everywhere
                ],
            },
            "lastTransactionID": str(last),
        }


def _state(balances: balance_pb2.Balances) -> Json:
    """What changes with prices."""
    used, equity = Decimal(balances.margin_used or 0), Decimal(balances.equity or 0)
    share = words.number(round(used * CLOSE_OUT / equity, 5)) if equity > 0 else "0"
    free = _amount(balances.margin_free)
    return {
        "balance": _amount(balances.cash_value),
        "unrealizedPL": _amount(balances.unrealised),
        "NAV": _amount(balances.equity),
        "marginUsed": _amount(balances.margin_used),
        "marginAvailable": free if Decimal(free) > 0 else "0.0000",
        "marginCloseoutUnrealizedPL": _amount(balances.unrealised),
        "marginCloseoutNAV": _amount(balances.equity),
        "marginCloseoutMarginUsed": _amount(balances.margin_used),
        "marginCloseoutPercent": share,
        "marginCallMarginUsed": _amount(balances.margin_used),
        "marginCallPercent": words.number(round(used / equity, 5)) if equity > 0 else "0",
        "withdrawalLimit": free if Decimal(free) > 0 else "0.0000",
    }


def _dynamic(order: Json) -> Json:
    return {"id": order["id"], "trailingStopValue": order["trailingStopValue"]}


def _amount(text: str) -> str:
    return words.money(Decimal(text or 0))


def _instrument(name: str, margin_rate: str) -> Json:
    convention = CONVENTIONS[Pair(name[:3], name[4:])]
    places = convention.price_places
    return {
        "name": name,
        "type": "CURRENCY",
        "displayName": name.replace("_", "/"),
        "pipLocation": -convention.pip_places,
        "displayPrecision": places,
        "tradeUnitsPrecision": 0,
        "minimumTradeSize": str(convention.min_quantity),
        "maximumTrailingStopDistance": f"{10000 * 10**-convention.pip_places:.{places}f}",
        "minimumTrailingStopDistance": f"{10**-places:.{places}f}",
        "maximumPositionSize": "0",
        "maximumOrderUnits": "1000000000",
        "marginRate": margin_rate,
        "guaranteedStopLossOrderMode": "DISABLED",
    }
