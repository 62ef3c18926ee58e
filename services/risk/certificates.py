"""Certificates of kills: every order that worked in scope when the gate was committed, and how each ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import kill_switch_pb2
from crossrate.api.trading.v1 import order_pb2
from crossrate.rpc.client import CallError
from services.risk.domain.pretrade.accounts import Book
from services.risk.domain.pretrade.orders import FINAL
from services.risk.slices import positions
from services.risk.store import KillStore, Term
from services.risk.trading_peer import Trading

LOOK_S = 0.25
ASKED_AT_ONCE_MAX = 16


class Certificates:
    """Those that are not complete. Made for one term.

    Args:
        book: what works now, by trading's reports.
        now_ns: the clock, ns since 1970, UTC.
    """

    def __init__(
        self,
        term: Term,
        store: KillStore,
        kept: Iterable[kill_switch_pb2.KillCertificate],
        trading: Trading,
        book: Book,
        note: Any,
        now_ns: Callable[[], int],
    ) -> None:
        self._term = term
        self._store = store
        self._trading = trading
        self._book = book
        self._note = note
        self._now_ns = now_ns
        self.pending = {each.certificate_id: each for each in kept}
        self.engaged: frozenset[str] = frozenset()
        """Kills that are engaged; of one that was resumed positions need not be closed any more."""

    def open(self, kill: kill_switch_pb2.Kill) -> None:
        """A kill was engaged: its certificate is empty until trading has committed the gate."""
        empty = kill_switch_pb2.KillCertificate(certificate_id=kill.kill_id, kill=kill)
        self.pending.setdefault(kill.kill_id, empty)

    async def committed(
        self, version: int, working: Iterable[order_pb2.Order], kills: Iterable[kill_switch_pb2.Kill]
    ) -> None:
        """Trading has committed a gate; these orders worked within it at that moment."""
        orders = list(working)
        for certificate in list(self.pending.values()):
            kill = certificate.kill
            if certificate.HasField("commit_time") or kill.gate_version > version:
                continue
            certificate.commit_time.FromNanoseconds(self._now_ns())
            for order in orders:
                if self._reaches(kill.scope, order):
                    certificate.orders.append(self._certified(kill.mode, order))
            self._count(certificate)
            await self._store.certify(self._term, certificate)
            self._drop_if_complete(certificate)

    def _reaches(self, scope: gate_pb2.KillScope, order: order_pb2.Order) -> bool:
        terms = order.terms
        if scope.kind == "platform":
            return True
        if scope.kind == "desk":
            return self._book.account(terms.account).desk == scope.name
        if scope.kind == "venue":
            return scope.name in (order.venue, terms.venue)
        if scope.kind == "market":
            return scope.name == f"{terms.instrument}@{order.venue or terms.venue}"
        return getattr(terms, scope.kind) == scope.name

    def _certified(self, mode: int, order: order_pb2.Order) -> kill_switch_pb2.CertifiedOrder:
        ends = mode >= gate_pb2.KILL_MODE_HALT
        if mode == gate_pb2.KILL_MODE_REDUCE_ONLY:
            ends = not self._reduces(order)
        return kill_switch_pb2.CertifiedOrder(
            account=order.terms.account,
            order_id=order.order_id,
            client_order_id=order.terms.client_order_id,
            instrument=order.terms.instrument,
            status_at_commit=order.status,
            must_end=ends,
        )

    def _reduces(self, order: order_pb2.Order) -> bool:
        """Whether everything that works on the order's side only reduces the position."""
        slot = self._book.account(order.terms.account).group.slots.get(order.terms.instrument)
        if slot is None:
            return False
        if order.terms.side == order_pb2.SIDE_BUY:
            return slot.position < 0 and slot.buys <= -slot.position
        return slot.position > 0 and slot.sells <= slot.position

    async def run(self) -> None:
        """Confirms orders that have ended, until it is cancelled."""
        while True:
            for certificate in list(self.pending.values()):
                if certificate.HasField("commit_time"):
                    try:
                        await self.confirm(certificate)
                    except CallError as error:
                        self._note.warning("how orders ended is not known yet; asking again", why=str(error))
            await asyncio.sleep(LOOK_S)

    async def confirm(self, certificate: kill_switch_pb2.KillCertificate) -> None:
        """Looks which orders of a certificate have ended.

        Raises:
            CallError: trading does not answer.
        """
        gone = []
        for each in certificate.orders:
            if not each.HasField("final_status") and each.must_end:
                account = self._book.account(each.account)
                # What still works need not be asked for; of an account that is not known, nobody can tell.
                if not account.known or each.order_id not in account.working:
                    gone.append(each)
        changed = False
        for at in range(0, len(gone), ASKED_AT_ONCE_MAX):
            part = gone[at : at + ASKED_AT_ONCE_MAX]
            found = await asyncio.gather(*(self._trading.order(each.account, each.order_id) for each in part))
            for each, order in zip(part, found, strict=True):
                if order is not None and order.status in FINAL:
                    each.final_status, each.cum_quantity = order.status, order.cum_quantity
                    each.final_time.CopyFrom(order.update_time)
                    changed = True
        complete = certificate.HasField("complete_time")
        self._count(certificate)
        if changed or complete != certificate.HasField("complete_time"):
            await self.keep(certificate)

    async def keep(self, certificate: kill_switch_pb2.KillCertificate) -> None:
        """Writes a certificate down; one that is complete is not looked at any more."""
        await self._store.certify(self._term, certificate)
        self._drop_if_complete(certificate)

    def _count(self, certificate: kill_switch_pb2.KillCertificate) -> None:
        open_orders = [each for each in certificate.orders if each.must_end and not each.HasField("final_status")]
        certificate.unconfirmed_count = len(open_orders)
        flattens = certificate.kill.mode == gate_pb2.KILL_MODE_FLATTEN and certificate.certificate_id in self.engaged
        flat = not flattens or self.flat(certificate)
        if not open_orders and flat and not certificate.HasField("complete_time"):
            certificate.complete_time.FromNanoseconds(self._now_ns())

    def flat(self, certificate: kill_switch_pb2.KillCertificate) -> bool:
        """Whether every position in the scope of a kill is closed; writes down those that are not."""
        found = [f"{each.account} {each.instrument}" for each in positions(self._book, certificate.kill.scope)]
        del certificate.open_positions[:]
        certificate.open_positions.extend(found[:10_000])
        return not found

    def _drop_if_complete(self, certificate: kill_switch_pb2.KillCertificate) -> None:
        if certificate.HasField("complete_time"):
            self.pending.pop(certificate.certificate_id, None)
