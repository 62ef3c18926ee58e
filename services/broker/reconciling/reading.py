"""One venue's books read into the matcher: from the beginning, then what comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from services.broker.domain.books import Fill
from services.broker.domain.matching import Matcher
from services.broker.reconciling.others import Booked, InBooks
from services.broker.store.copies import TAKEN_BACK, Copies, Said

PAGE = 1000
ADJUSTED = "recon."
"""What ids of fills begin with that two persons booked for what no book tells."""


class Books:
    """See the module. Made anew to compare everything from the beginning."""

    def __init__(self, venue: str, matcher: Matcher, copies: Copies, begin: int) -> None:
        self.venue = venue
        self.matcher = matcher
        self._copies = copies
        self._own_at = begin
        self._copy_at = 0
        self.adopted: set[str] = set()
        """Accounts of orders that were adopted since it was last asked for."""

    async def read(self, now_ns: int, copies_upto: int | None = None, own_upto: int | None = None) -> None:
        """Takes what came since, of ours and of the drop copy's: up to a number, or all.

        Raises:
            StoreUnavailable: the database is away; the next call goes on.
        """
        last, newest = await self._copies.ends(self.venue)
        last = last if own_upto is None else min(last, own_upto)
        while page := await self._copies.own(self.venue, self._own_at, last, PAGE):
            for said in page:
                await self._own(said, now_ns)
                self._own_at = said.number
            if len(page) < PAGE:
                break
        self._own_at = max(self._own_at, last)
        await self.read_copies(now_ns, newest if copies_upto is None else copies_upto)

    async def read_copies(self, now_ns: int, upto: int) -> None:
        """Takes what the drop copy has up to a number."""
        while page := await self._copies.copied(self.venue, self._copy_at, upto, PAGE):
            for said in page:
                await self._copy(said, now_ns)
                self._copy_at = said.number
            if len(page) < PAGE:
                break

    async def _own(self, said: Said, now_ns: int) -> None:
        matcher = self.matcher
        if said.what == 0:
            self.adopted.add(said.account)
        elif said.what == TAKEN_BACK:
            await self._remember(said.ref, now_ns)
            matcher.ours(said.ref, None, now_ns)
            matcher.forget_booked(said.ref)
        elif said.fill is not None and said.exec_id.startswith(ADJUSTED):
            matcher.adjusted(said.fill)
            matcher.expect_booked(said.fill, said.told_id)
        elif said.fill is not None:
            if said.ref:
                await self._remember(said.ref, now_ns)
            matcher.ours(said.exec_id, said.fill, now_ns, said.ref)
            matcher.expect_booked(said.fill, said.told_id)

    async def _copy(self, said: Said, now_ns: int) -> None:
        if said.what == TAKEN_BACK:
            await self._remember(said.ref, now_ns)
            self.matcher.theirs(said.ref, None, now_ns)
        else:
            if said.ref:
                await self._remember(said.ref, now_ns)
            self.matcher.theirs(said.exec_id, said.fill, now_ns, said.ref)

    async def _remember(self, exec_id: str, now_ns: int) -> None:
        """Has a fill in memory that is older than what stays there."""
        if not exec_id or self.matcher.knows(exec_id):
            return
        ours, theirs = await self._copies.known(self.venue, exec_id)
        self.matcher.recall(exec_id, ours, theirs, now_ns)

    def booked(self, answers: Mapping[str, Booked], now_ns: int) -> None:
        """What trading answered of the fills that it is to have."""
        for exec_id, waits in list(self.matcher.unbooked.items()):
            has = answers.get(waits.told_id)
            said: Fill | None = None
            if has is not None:
                said = replace(waits.fill, quantity=has.quantity, price=has.price)
            self.matcher.booked(exec_id, said, now_ns)

    def ledgered(self, account: str, answer: InBooks, now_ns: int) -> None:
        """What the ledger answered of an account's fills that it is to have."""
        for exec_id, waits in list(self.matcher.unledgered.items()):
            if waits.fill.account == account:
                has = answer.trades.get(waits.told_id)
                said = replace(waits.fill, quantity=has.quantity, price=has.price) if has is not None else None
                self.matcher.ledgered(exec_id, said, answer.fault, now_ns)
