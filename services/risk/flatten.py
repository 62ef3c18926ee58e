"""Closing out what a FLATTEN holds: slice by slice, each within a price bound, by orders that only reduce.

    position ──▶ at most one slice, at most one order at a time ──▶ reduce-only market IOC with a bound ──▶ look again

A slice that finds nothing within the bound is cancelled by its venue, and the next one is bounded by the quote of that
moment: the close-out follows the market, it does not chase through it. What is sent is written down before, so that a
successor repeats an order that it cannot know to be there under the same id, and never sends a second one.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import kill_switch_pb2
from crossrate.api.trading.v1 import order_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.rpc.client import CallError
from services.risk.certificates import Certificates, positions
from services.risk.domain.pretrade.accounts import Book
from services.risk.domain.pretrade.amounts import PRICE_SCALE, RATE_SCALE, SCALE, price_text, text_of
from services.risk.domain.pretrade.orders import FINAL
from services.risk.kill_switch import KillSwitch
from services.risk.trading_peer import Trading

STEPS_MAX = 1000
"""Steps that a certificate has room for; the oldest give way."""
_NAMES = uuid.UUID("6f1c8f7e-4f0e-5c86-9d2b-2f6c1e7a9b11")
"""Names of the requests are made in this space."""


class Flattener:
    """See the module. Made for one term.

    Args:
        slice_max: the most of one order, in ten-thousandths of the reporting currency.
        bound_bp: how far beyond the quote a slice may deal, in basis points.
        interval_s: time between two looks at what is left.
        now_ns: the clock, ns since 1970, UTC.
    """

    def __init__(
        self,
        kills: KillSwitch,
        certificates: Certificates,
        book: Book,
        trading: Trading,
        note: Any,
        now_ns: Callable[[], int],
        *,
        slice_max: int,
        bound_bp: int,
        interval_s: float,
    ) -> None:
        self._kills = kills
        self._certificates = certificates
        self._book = book
        self._trading = trading
        self._note = note
        self._now_ns = now_ns
        self._slice_max = slice_max
        self._bound_bp = bound_bp
        self._interval_s = interval_s

    async def run(self) -> None:
        """Closes what is to be closed, until it is cancelled."""
        while True:
            for kill in self._kills.kills:
                certificate = self._certificates.pending.get(kill.kill_id)
                if kill.mode != gate_pb2.KILL_MODE_FLATTEN or certificate is None:
                    continue
                if certificate.HasField("commit_time"):
                    await self.step(certificate)
            await asyncio.sleep(self._interval_s)

    async def step(self, certificate: kill_switch_pb2.KillCertificate) -> None:
        """One slice of every position in the scope of a kill that has none under way."""
        for account, instrument, quantity in positions(self._book, certificate.kill.scope):
            last = next(
                (
                    each
                    for each in reversed(certificate.steps)
                    if (each.account, each.instrument) == (account, instrument) and each.client_order_id
                ),
                None,
            )
            try:
                if last is not None and not await self._over(certificate, last):
                    continue
                await self._slice(certificate, account, instrument, quantity)
            except CallError as error:
                self._note.warning(
                    "a position is not closed yet; trying again", account=account, instrument=instrument, why=str(error)
                )

    async def _over(self, certificate: kill_switch_pb2.KillCertificate, step: kill_switch_pb2.FlattenStep) -> bool:
        """Whether a slice has ended; one that may not have arrived is sent again under its id."""
        if step.outcome:
            return True
        order = await self._trading.order(step.account, step.client_order_id)
        if order is None:
            order = await self._trading.place(self._order(certificate, step), self._request_id(step))
        if order.status not in FINAL:
            return False
        status = order_pb2.OrderStatus.Name(order.status).removeprefix("ORDER_STATUS_")
        step.outcome = f"{status}, {order.cum_quantity} filled"
        if order.reason_text:
            step.outcome += f": {order.reason_text[:300]}"
        await self._certificates.keep(certificate)
        # The position is looked at after the fill has come with the reports, so not in this step.
        return False

    async def _slice(
        self, certificate: kill_switch_pb2.KillCertificate, account: str, instrument: str, quantity: int
    ) -> None:
        made = self._book.market.instruments[instrument]
        why = self._book.market.why_not_live(made, self._now_ns())
        if not why and not self._book.market.is_open(made, self._now_ns()):
            why = "the market is closed"
        step = kill_switch_pb2.FlattenStep(account=account, instrument=instrument)
        step.time.FromNanoseconds(self._now_ns())
        if why:
            await self._wait(certificate, step, f"{why}: waits")
            return
        amount = self._amount(instrument, abs(quantity))
        if not amount:
            await self._wait(certificate, step, f"{text_of(quantity)} is below the smallest quantity: close it by hand")
            return
        buys = quantity < 0
        quote = made.ask if buys else made.bid
        bound = quote + (1 if buys else -1) * quote * self._bound_bp // 10_000
        tick = PRICE_SCALE // 10 ** CONVENTIONS[made.pair].price_places
        bound = bound // tick * tick
        number = 1 + sum(bool(each.client_order_id) for each in certificate.steps)
        name = f"{certificate.certificate_id[-12:]}-{instrument.replace('/', '')}-{number}"
        step.client_order_id = f"flatten-{name}"
        step.quantity, step.price_bound = text_of(amount if buys else -amount), price_text(bound)
        self._append(certificate, step)
        await self._certificates.keep(certificate)
        await self._trading.place(self._order(certificate, certificate.steps[-1]), self._request_id(step))

    async def _wait(
        self, certificate: kill_switch_pb2.KillCertificate, step: kill_switch_pb2.FlattenStep, outcome: str
    ) -> None:
        step.outcome = outcome
        mine = [
            each for each in certificate.steps if (each.account, each.instrument) == (step.account, step.instrument)
        ]
        if not mine or mine[-1].outcome != outcome:
            self._append(certificate, step)
            await self._certificates.keep(certificate)

    def _append(self, certificate: kill_switch_pb2.KillCertificate, step: kill_switch_pb2.FlattenStep) -> None:
        if len(certificate.steps) >= STEPS_MAX:
            del certificate.steps[0]
        certificate.steps.append(step)

    def _amount(self, instrument: str, quantity: int) -> int:
        """The next slice of a position, in ten-thousandths: whole steps of the instrument."""
        made = self._book.market.instruments[instrument]
        convention = CONVENTIONS[made.pair]
        rate = self._book.market.rates.get(made.base, 0)
        most = self._slice_max * RATE_SCALE // rate if rate else quantity
        amount = min(quantity, max(most, convention.min_quantity * SCALE))
        step = convention.quantity_step * SCALE
        amount = amount // step * step
        return amount if amount >= convention.min_quantity * SCALE else 0

    def _order(
        self, certificate: kill_switch_pb2.KillCertificate, step: kill_switch_pb2.FlattenStep
    ) -> order_pb2.NewOrder:
        return order_pb2.NewOrder(
            client_order_id=step.client_order_id,
            account=step.account,
            instrument=step.instrument,
            side=order_pb2.SIDE_SELL if step.quantity.startswith("-") else order_pb2.SIDE_BUY,
            quantity=step.quantity.removeprefix("-"),
            order_type=order_pb2.ORDER_TYPE_MARKET,
            time_in_force=order_pb2.TIME_IN_FORCE_IOC,
            price_bound=step.price_bound,
            reduce_only=True,
            text=f"kill switch {certificate.certificate_id}",
        )

    def _request_id(self, step: kill_switch_pb2.FlattenStep) -> str:
        return str(uuid.uuid5(_NAMES, f"{step.account}/{step.client_order_id}"))
