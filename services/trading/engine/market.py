"""The market as trading sees it: the composite quotes of what has orders that work, and what they set off.

Only LIVE quotes set anything off. While marketdata is silent nothing is LIVE.
"""

from __future__ import annotations

import asyncio
import math
import time
from typing import Any

from crossrate.api.marketdata.v1 import quote_pb2
from crossrate.api.marketdata.v1.marketdata_service_pb2_grpc import MarketDataServiceStub
from crossrate.client.quotes import Gap, QuoteStream, Resumption
from crossrate.rpc.call_error import CallError
from services.trading.domain import amounts, reduction, trigger
from services.trading.domain.account import Account, Step
from services.trading.domain.lifecycle import Exec, Reason, Status
from services.trading.domain.order import TRIGGERED_TYPES, Order, OrderType
from services.trading.engine.accounts import Accounts
from services.trading.engine.writer import Writer
from services.trading.store import Batch

INSTRUMENTS_MAX = 200
"""In one stream of marketdata."""
REFUSED_PAUSE_S = 1.0
RESUMPTION = Resumption(pause_s_max=1.0, unreachable_s_max=math.inf)


class Market:
    """See the module. `run` is a task of the process.

    Args:
        silence_s_max: quotes set nothing off after this time without a word from marketdata.
        trail_s: a trailing stop's price is written down at most so often.
    """

    def __init__(
        self,
        stub: MarketDataServiceStub,
        accounts: Accounts,
        writer: Writer,
        note: Any,
        *,
        silence_s_max: float,
        trail_s: float,
        linger_s: float,
    ) -> None:
        self._stub = stub
        self._accounts = accounts
        self._writer = writer
        self._note = note
        self._silence_s_max = silence_s_max
        self._trail_s = trail_s
        self._linger_s = linger_s
        self._newest: dict[str, quote_pb2.Quote] = {}
        self._held: dict[str, dict[str, Order]] = {}
        self._best: dict[str, int] = {}
        self._written_s: dict[str, float] = {}
        self._writing: set[str] = set()
        self._firing: set[str] = set()
        self._wanted: dict[str, float] = {}
        self._rewire = asyncio.Event()
        self._stream: QuoteStream | None = None
        self._refusal = ""
        self.following: frozenset[str] = frozenset()
        """The instruments of the stream that is open."""

    def last(self, instrument: str) -> tuple[str, str] | None:
        """Bid and ask of a LIVE quote as decimals."""
        quote = self._newest.get(instrument)
        if quote is None or quote.health != quote_pb2.QUOTE_HEALTH_LIVE or self._silent():
            return None
        return amounts.price_text(_price(quote.bid)), amounts.price_text(_price(quote.ask))

    async def claimed(self, account: Account) -> None:
        """An account is here now: its held orders wait for the market here."""
        for order in account.orders.values():
            self._look(order)

    def committed(self, batch: Batch) -> None:
        """Orders took a step."""
        for order in batch.orders:
            self._look(order)

    def _look(self, order: Order) -> None:
        if not order.final:
            self._want(order.instrument)
        waits = order.terms.order_type in TRIGGERED_TYPES and order.status is Status.NEW and not order.triggered
        held = self._held.setdefault(order.instrument, {})
        self._firing.discard(order.order_id)
        if waits:
            held[order.order_id] = order
            quote = self._newest.get(order.instrument)
            if quote is not None:
                self._weigh(order, quote)
        elif order.order_id in held:
            del held[order.order_id]
            self._best.pop(order.order_id, None)
            self._written_s.pop(order.order_id, None)

    def _want(self, instrument: str) -> None:
        new = instrument not in self._wanted
        self._wanted[instrument] = time.monotonic()
        if new:
            self._rewire.set()

    async def run(self) -> None:
        """Follows the quotes of what has orders that work, until it is cancelled."""
        while True:
            self._rewire.clear()
            self._forget()
            self.following = frozenset(self._wanted)
            if not self.following:
                await self._rewire.wait()
                continue
            names = sorted(self.following)
            pages = [names[i : i + INSTRUMENTS_MAX] for i in range(0, len(names), INSTRUMENTS_MAX)]
            async with asyncio.TaskGroup() as group:
                reading = [group.create_task(self._read(page)) for page in pages]
                await self._rewire.wait()
                for task in reading:
                    task.cancel()

    def _forget(self) -> None:
        """Drops instruments without orders some time after the last of them has ended."""
        working = {o.instrument for a in self._accounts.held.values() for o in a.orders.values() if not o.final}
        now = time.monotonic()
        for name in list(self._wanted):
            if name in working:
                self._wanted[name] = now
            elif now - self._wanted[name] > self._linger_s:
                del self._wanted[name]
                self._newest.pop(name, None)

    async def _read(self, names: list[str]) -> None:
        while True:
            stream = self._stream = QuoteStream(names, None, "", RESUMPTION)
            try:
                async for event in stream.events(self._stub):
                    if not isinstance(event, Gap):
                        self._take(event)
            except CallError as error:
                if str(error) != self._refusal:
                    self._note.warning("marketdata refuses to stream quotes", why=str(error))
                self._refusal = str(error)
            await asyncio.sleep(REFUSED_PAUSE_S)

    def _silent(self) -> bool:
        return self._stream is None or self._stream.silence_s > self._silence_s_max

    def _take(self, quote: quote_pb2.Quote) -> None:
        self._newest[quote.instrument] = quote
        if quote.health != quote_pb2.QUOTE_HEALTH_LIVE:
            return
        for order in list(self._held.get(quote.instrument, {}).values()):
            self._weigh(order, quote)

    def _weigh(self, order: Order, quote: quote_pb2.Quote) -> None:
        if quote.health != quote_pb2.QUOTE_HEALTH_LIVE or self._silent() or order.order_id in self._firing:
            return
        bid, ask = _price(quote.bid), _price(quote.ask)
        price = trigger.price_of(order, bid, ask)
        stop = order.trigger_price
        if order.terms.order_type is OrderType.TRAILING_STOP:
            stop = self._trail(order, price)
        if stop and trigger.reached(order, stop, price):
            self._firing.add(order.order_id)
            seen = f"bid {amounts.price_text(bid)}, ask {amounts.price_text(ask)} of {quote.source} {quote.sequence}"
            self._writer.work(order.account, _Fire(order.order_id, stop, seen))

    def _trail(self, order: Order, price: int) -> int:
        """Moves a trailing stop's price in memory, and writes it down now and then."""
        best = trigger.trailed(order, self._best.get(order.order_id, order.trigger_price), price)
        self._best[order.order_id] = best
        if best != order.trigger_price and order.order_id not in self._writing:
            # At once if that is due, else when it is: what is written is the best by then.
            due_s = self._written_s.get(order.order_id, -1e9) + self._trail_s - time.monotonic()
            self._writing.add(order.order_id)
            asyncio.get_running_loop().call_later(max(0.0, due_s), self._write, order)
        return best

    def _write(self, order: Order) -> None:
        self._writing.discard(order.order_id)
        best = self._best.get(order.order_id)
        if best is not None:
            self._written_s[order.order_id] = time.monotonic()
            self._writer.work(order.account, _Trail(order.order_id, best))


def _price(value: float) -> int:
    return round(value * amounts.PRICE_UNIT)


class _Fire:
    """Sets an order off, if it still waits."""

    def __init__(self, order_id: str, stop: int, seen: str) -> None:
        self._order_id = order_id
        self._stop = stop
        self._seen = seen

    def __call__(self, account: Account, batch: Batch) -> None:
        order = account.orders.get(self._order_id)
        if order is None or order.status is not Status.NEW or not order.held:
            return
        order.trigger_price = self._stop
        if order.terms.reduce_only:
            reduction.cut(account, order)
            if order.terms.quantity <= 0:
                words = "its trigger was reached, and there is no position left for it to reduce"
                step = Step(Exec.CANCELLED, "market", Reason.REDUCE_ONLY, words)
                account.end(order, Exec.CANCELLED, step, batch)
                return
        account.trigger(order, f"reached {amounts.price_text(self._stop)}: {self._seen}", batch)


class _Trail:
    """Writes the price of a trailing stop down."""

    def __init__(self, order_id: str, price: int) -> None:
        self._order_id = order_id
        self._price = price

    def __call__(self, account: Account, batch: Batch) -> None:
        order = account.orders.get(self._order_id)
        if order is None or order.status is not Status.NEW or not order.held or order.trigger_price == self._price:
            return
        order.trigger_price = self._price
        account.record(order, Status.NEW, Step(Exec.RESTATED, "market", None, "the trailing stop has moved"), batch)
