"""A trading day, as its users have it: strategies over gRPC, a desk over REST, limits, the kill switch, the books.

Each run has accounts of its own, named after the moment at which it began, so that a day's report is about that day.
"""

from __future__ import annotations

import asyncio
import time
import tomllib
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.ledger.v1 import account_pb2
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.cli.desk import number, word
from crossrate.cli.fix_desk import Access, deal, market_order
from crossrate.cli.strategies import Carry, MovingAverage
from crossrate.cli.trading_breaks import compared
from crossrate.cli.web import Web
from crossrate.client import AsyncClient, CallError, OrderRejected
from crossrate.fix.enums import OrdStatus, Side
from crossrate.runtime.topology import DEFAULT_PATH

OTHER_PERSON = "second"
"""The client that approves what the first one proposes."""
FINANCING = DEFAULT_PATH.parent.parent / "services" / "ledger" / "financing.toml"
TRADES_S = 8.0
"""How long the moving average trades."""
CATCH_UP_S_MAX = 15.0
"""How long the books may be behind the executions, and a kill's certificate incomplete."""
LOOK_S = 0.05
CARRIED = ("AUD/JPY", "USD/JPY", "EUR/USD")
"""What the carry strategy looks at, as far as it is quoted."""


class DayFailed(ValueError):
    """The day saw something else than what the platform promises."""


@dataclass
class Report:
    """What a day came to."""

    accounts: list[str] = field(default_factory=list)
    rejected: list[str] = field(default_factory=list)
    value_at_risk: dict[str, Decimal] = field(default_factory=dict)
    """In USD, one day, 99 percent: "before" and "after"."""
    financing: dict[str, str] = field(default_factory=dict)
    executions: dict[str, list[Any]] = field(default_factory=dict)
    positions: dict[str, list[Any]] = field(default_factory=dict)
    balances: dict[str, Any] = field(default_factory=dict)
    profits: dict[str, Any] = field(default_factory=dict)
    breaks: list[str] = field(default_factory=list)
    runs: list[Any] = field(default_factory=list)
    proof: Any = None
    certificate: Any = None


class TradingDay:
    """The steps of a day, in order; each uses what those before it left."""

    def __init__(self, client: AsyncClient, web: Web, tag: str, fix: Access | None) -> None:
        """Nothing is traded yet.

        Args:
            client: the platform, as a trader.
            web: the edge over HTTPS, as the same.
            tag: what the accounts' names end with, as `new_tag` makes it.
            fix: how a client reaches the gateway; None if this mesh was started without it.
        """
        self._client = client
        self._web = web
        self._fix = fix
        self.trend, self.carry, self.desk = f"trend-{tag}", f"carry-{tag}", f"desk-{tag}"
        self.report = Report([self.trend, self.carry, self.desk])
        if fix is not None:
            self.report.accounts.append(fix.account)

    def steps(self) -> list[tuple[str, Callable[[], Awaitable[str]]]]:
        """Names and work, in order."""
        return [
            ("accounts", self.open_accounts),
            ("value at risk before", lambda: self.value_at_risk("before")),
            ("strategies over gRPC", self.strategies),
            ("orders over REST", self.orders_rest),
            *([("orders over FIX", self.orders_fix)] if self._fix is not None else []),
            ("limits", self.limits),
            ("kill switch", self.kill),
            ("the books follow", self.books_follow),
            ("the day rolls", self.roll),
            ("value at risk after", lambda: self.value_at_risk("after")),
            ("the books balance", self.books_balance),
        ]

    async def open_accounts(self) -> str:
        """An account for each who trades, with money in it."""
        for name in self.report.accounts:
            currency, amount = ("EUR", "500000") if name == self.desk else ("USD", "1000000")
            account = account_pb2.Account(
                account=name,
                desk="spot",
                currency=currency,
                position_mode=account_pb2.POSITION_MODE_NETTING,
                cost_method=account_pb2.COST_METHOD_FIFO,
                status=account_pb2.ACCOUNT_STATUS_ACTIVE,
                margin_rate="0.05",
            )
            await self._client.ledger.OpenAccount(request_id=str(uuid.uuid4()), account=account)
            await self._client.ledger.Deposit(
                request_id=str(uuid.uuid4()), account=name, currency=currency, amount=amount, text="opening balance"
            )
        await self._until(self._admitted, "risk did not learn of the accounts' money")
        return f"{', '.join(self.report.accounts)}: EUR 500,000 for the desk, USD 1,000,000 each for the others"

    async def _admitted(self) -> bool:
        """Whether risk knows the newest account's money: an order that is only looked at passes."""
        for account in self.report.accounts:
            try:
                await self._client.place(account, "EUR/USD", "buy", 100_000, validate_only=True)
            except OrderRejected:
                return False
        return True

    async def strategies(self) -> str:
        """A moving average by calls and a carry trade on a session, at the same time."""
        interest = {
            currency: (Decimal(rate["bid"]) + Decimal(rate["offer"])) / 2
            for currency, rate in tomllib.loads(FINANCING.read_text())["interest"].items()
        }
        quoted = [name for name in CARRIED if await self._quoted(name)]
        trend = MovingAverage(self._client, self.trend, "EUR/USD", 200_000)
        carry = Carry(self._client, self.carry, quoted, 100_000, interest)
        await asyncio.gather(trend.run(TRADES_S), carry.run())
        if not trend.orders or not carry.filled:
            raise DayFailed("a strategy did not trade")
        held = ", ".join(f"{number(str(quantity + 0))} {name}" for name, quantity in carry.filled.items())
        return f"trend: {trend.orders} orders, holds {number(str(trend.position + 0))} EUR/USD; carry holds {held}"

    async def _quoted(self, instrument: str) -> bool:
        base, counter = instrument.split("/")
        try:
            await self._client.marketdata.GetQuote(base=base, counter=counter)
        except CallError:
            return False
        return True

    async def orders_rest(self) -> str:
        """A desk that speaks JSON: an order at the market, and bids that rest below it."""
        market = self._json("SIDE_BUY", "150000", orderType="ORDER_TYPE_MARKET", timeInForce="TIME_IN_FORCE_IOC")
        answer = await asyncio.to_thread(self._web.post, f"/v1/accounts/{self.desk}/orders", market)
        identity = answer["order"]["terms"]["clientOrderId"]
        quote = await asyncio.to_thread(self._web.get, "/v1/quotes/EUR/USD")
        resting = []
        for pips in range(20, 70, 10):
            price = f"{quote['quote']['bid'] - pips / 10_000:.5f}"
            order = self._json(
                "SIDE_BUY",
                "100000",
                orderType="ORDER_TYPE_LIMIT",
                limitPrice=price,
                timeInForce="TIME_IN_FORCE_GTC",
                strategy="bids",
            )
            resting.append(await asyncio.to_thread(self._web.post, f"/v1/accounts/{self.desk}/orders", order))
        refused = [each for each in resting if each["order"]["status"] == "ORDER_STATUS_REJECTED"]
        if refused:
            raise DayFailed(refused[0]["order"]["reasonText"])
        path = f"/v1/accounts/{self.desk}/orders/{identity}"
        filled: dict[str, Any] = {}

        async def over() -> bool:
            filled.update((await asyncio.to_thread(self._web.get, path))["order"])
            return filled["leavesQuantity"] == "0"

        await self._until(over, "the order at the market is not over")
        words = f"{number(filled['cumQuantity'])} EUR/USD at {filled['avgPrice']}"
        return f"{words}, {len(resting)} bids rest from 20 pips below the market"

    async def orders_fix(self) -> str:
        """A client that speaks FIX 4.4 through broker's gateway: it buys, and sells half of it again."""
        assert self._fix is not None
        orders = [
            market_order(f"{self._fix.account}-{place}", side, "EUR/USD", quantity)
            for place, (side, quantity) in enumerate(((Side.BUY, 200_000), (Side.SELL, 100_000)), 1)
        ]
        reports = await deal(self._fix, orders)
        bad = [each for each in reports if each.ord_status is not OrdStatus.FILLED]
        if bad:
            raise DayFailed(f"{bad[0].cl_ord_id} is {bad[0].ord_status.name}: {bad[0].text or 'without a reason'}")
        deals = ", ".join(f"{each.side.name.lower()} {each.cum_qty:,f} at {each.avg_px}" for each in reports)
        return f"EUR/USD {deals}"

    def _json(self, side: str, quantity: str, **terms: str) -> dict[str, Any]:
        order = {
            "clientOrderId": uuid.uuid4().hex,
            "instrument": "EUR/USD",
            "side": side,
            "quantity": quantity,
            **terms,
        }
        return {"requestId": str(uuid.uuid4()), "order": order}

    async def limits(self) -> str:
        """Orders that must not pass: too large, too far from the market, more than the margin carries."""
        quote = (await self._client.marketdata.GetQuote(base="EUR", counter="USD")).quote
        tries = (
            ("ORDER_NOTIONAL", 40_000_000, None),
            ("PRICE_COLLAR", 100_000, f"{quote.ask * 1.2:.5f}"),
            ("MARGIN", 20_000_000, None),
        )
        for kind, quantity, limit_price in tries:
            try:
                # The desk is long: what only reduced a position would pass.
                await self._client.place(self.desk, "EUR/USD", "buy", quantity, limit_price=limit_price)
            except OrderRejected as error:
                found = [check for check in error.checks if word(check, "kind") == kind]
                if not found:
                    raise DayFailed(f"expected {kind} to refuse, but it was: {error}") from None
                self.report.rejected.append(found[0].text)
            else:
                raise DayFailed(f"an order of {quantity:,} EUR/USD passed that {kind} should have refused")
        return f"{len(tries)} refused: {'; '.join(kind.lower().replace('_', ' ') for kind, _, _ in tries)}"

    async def kill(self) -> str:
        """The desk is halted: its bids end, each certified; nothing new passes; two persons let go on."""
        scope = gate_pb2.KillScope(kind="account", name=self.desk)
        begun = time.monotonic()
        engaged = await self._client.risk.Engage(
            request_id=str(uuid.uuid4()), scope=scope, mode=gate_pb2.KILL_MODE_HALT, comment="a drill of the day"
        )
        kill_id = engaged.kill.kill_id
        try:
            words = await self._certified(kill_id)
        finally:
            proposal = await self._client.risk.ProposeResume(
                request_id=str(uuid.uuid4()), kill_id=kill_id, comment="the drill is over"
            )
            async with AsyncClient(client=OTHER_PERSON) as other:
                await other.risk.ApproveResume(request_id=str(uuid.uuid4()), proposal_id=proposal.proposal.proposal_id)
        return f"{words}, let go by two persons, {time.monotonic() - begun:.1f} s in all"

    async def _certified(self, kill_id: str) -> str:
        try:
            await self._client.place(self.desk, "EUR/USD", "buy", 100_000)
        except OrderRejected as error:
            if error.reason != "KILL_SWITCH":
                raise DayFailed(f"the kill switch should have refused, but it was: {error}") from None
        else:
            raise DayFailed("an order passed a kill switch at HALT")

        async def complete() -> bool:
            answer = await self._client.risk.GetCertificate(certificate_id=kill_id)
            self.report.certificate = answer.certificate
            return answer.certificate.HasField("complete_time")

        await self._until(complete, "the kill's certificate is not complete")
        orders = self.report.certificate.orders
        ended = [each for each in orders if each.final_status == order_pb2.ORDER_STATUS_CANCELLED]
        if not orders or len(ended) != len(orders):
            raise DayFailed(f"{len(ended)} of {len(orders)} orders ended as they must")
        return f"{len(orders)} resting orders cancelled and certified, a new one refused"

    async def books_follow(self) -> str:
        """Every execution is in the books, and the books' positions are the sum of the fills."""
        reports = self.report
        for account in reports.accounts:
            reports.executions[account] = await self._executions(account)
            last = reports.executions[account][-1].sequence

            async def booked(account: str = account, last: int = last) -> bool:
                answer = await self._client.ledger.ListPositions(account=account)
                reports.positions[account] = list(answer.positions)
                return answer.execution_sequence >= last

            await self._until(booked, f"the books of {account} are not at execution {last}")
            fills = _net(reports.executions[account])
            books = {each.instrument: Decimal(each.quantity) for each in reports.positions[account]}
            for name in sorted(fills.keys() | books.keys()):
                if fills.get(name, 0) != books.get(name, 0):
                    reports.breaks.append(f"{account} {name}: fills {fills.get(name, 0)}, books {books.get(name, 0)}")
        reports.runs, found = await compared(self._client)
        reports.breaks += found
        if reports.breaks:
            raise DayFailed("; ".join(reports.breaks))
        trades = sum(len(_trades(each)) for each in reports.executions.values())
        orders = sum(len({r.order.order_id for r in each}) for each in reports.executions.values())
        said = f"{len(reports.runs)} venues say the same"
        return f"{orders} orders, {trades} fills, no break between fills and books; {said}"

    async def _executions(self, account: str) -> list[Any]:
        found: list[Any] = []
        while True:
            page = await self._client.trading.ListExecutions(
                account=account, after_sequence=found[-1].sequence if found else 0, page_size=1000
            )
            found.extend(page.reports)
            if not found:
                raise DayFailed(f"{account} has no executions")
            if found[-1].sequence >= page.last_sequence:
                return found

    async def roll(self) -> str:
        """The trade date ends: positions go on to the next spot date, and are charged or paid for it."""
        dates = [_trades(each)[0].fill.trade_date for each in self.report.executions.values() if _trades(each)]
        day = dates[0]
        try:
            answer = await self._client.ledger.RollDay(request_id=str(uuid.uuid4()), trade_date=day)
        except CallError as error:
            if error.metadata.get("state") != "DAY_NOT_ENDED":
                raise
            return f"{_day(day)} ends at 17:00 New York: this mesh was started without days that are simulated"
        if answer.missing:
            raise DayFailed(f"no financing for {', '.join(answer.missing)}")
        self.report.financing = {each.currency: each.amount for each in answer.totals}
        told = ", ".join(f"{currency} {number(amount)}" for currency, amount in self.report.financing.items())
        return f"{_day(day)} has ended, {answer.positions} positions carried on, financing {told or 'none'}"

    async def value_at_risk(self, when: str) -> str:
        """What all accounts could lose in a day, 99 percent, by the moves of the last 500 days."""
        held: dict[str, Decimal] = {}
        for each in (position for listed in self.report.positions.values() for position in listed):
            held[each.instrument] = held.get(each.instrument, Decimal(0)) + Decimal(each.quantity)
        names = sorted(held) or ["EUR/USD"]
        book = {
            "markets": [{"instrument": name} for name in names],
            "reporting_currency": "USD",
            "kind": [2],
            "market": list(range(len(names))),
            "strike": [1.0],
            "time": [0.0],
            "volatility": [0.0],
            "domestic_rate": [0.0],
            "foreign_rate": [0.0],
            "notional": [float(held.get(name, 0)) for name in names],
        }
        stream = self._client.risk.CalculateVar(
            book=book, historical={"days": 500}, method="VAR_METHOD_PLAIN", confidence=[0.99]
        )
        async for message in stream:
            if message.HasField("result"):
                measure = message.result.measures[0]
                self.report.value_at_risk[when] = Decimal(f"{abs(measure.value_at_risk):.2f}")
                beyond = number(f"{abs(measure.expected_shortfall):.2f}")
                amount = number(str(self.report.value_at_risk[when]))
                return f"USD {amount} in a day at 99 percent, expected beyond it {beyond}"
        raise DayFailed("value at risk had no result")

    async def books_balance(self) -> str:
        """The proof of the books, and what each account has and earned."""
        for account in self.report.accounts:
            answer = await self._client.ledger.ListPositions(account=account)
            self.report.positions[account] = list(answer.positions)
            self.report.balances[account] = (await self._client.ledger.GetBalances(account=account)).balances
            self.report.profits[account] = await self._client.ledger.GetProfitAndLoss(account=account)
        proof = self.report.proof = await self._client.ledger.VerifyBooks()
        if proof.differences:
            raise DayFailed("; ".join(proof.differences))
        words = f"{proof.entries:,} entries, {proof.postings:,} postings: zero in each currency at each number"
        return f"{words}, {proof.books} books rebuilt byte for byte, journal {proof.journal_digest[:16]}…"

    async def _until(self, true: Callable[[], Awaitable[bool]], words: str) -> None:
        end_s = time.monotonic() + CATCH_UP_S_MAX
        while not await true():
            if time.monotonic() > end_s:
                raise DayFailed(f"{words} after {CATCH_UP_S_MAX:.0f} s")
            await asyncio.sleep(LOOK_S)


def new_tag() -> str:
    """The moment, as names of accounts end with it."""
    return datetime.now(UTC).strftime("%y%m%d-%H%M%S")


def _trades(reports: list[Any]) -> list[Any]:
    return [each for each in reports if each.exec_type == execution_pb2.EXEC_TYPE_TRADE]


def _net(reports: list[Any]) -> dict[str, Decimal]:
    """Units of the base currency by instrument, as the fills make them."""
    held: dict[str, Decimal] = {}
    for each in _trades(reports):
        terms = each.order.terms
        sign = 1 if terms.side == order_pb2.SIDE_BUY else -1
        held[terms.instrument] = held.get(terms.instrument, Decimal(0)) + sign * Decimal(each.fill.quantity)
    return {name: quantity for name, quantity in held.items() if quantity}


def _day(date: Any) -> str:
    return f"{date.year}-{date.month:02}-{date.day:02}"
