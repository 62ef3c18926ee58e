"""Which instance decides before a trade, and how it begins to.

One instance at a time holds the lease. The one that takes it loads limits and kills, raises the gate's version, has
trading commit that, and only then reads every account: what another instance authorised before and trading had not
committed is refused there. Until it has read everything it authorises nothing; limits and the kill switch it serves
from the first step on. The others stand by and hand calls on to the one that decides.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from typing import Any

from crossrate.rpc.client import CallError
from crossrate.runtime.ending import end
from crossrate.store.database import Database
from crossrate.store.errors import LeaseHeld, OutcomeUnknown, StaleWriter, StoreUnavailable
from services.risk.store.term import Term

RETRY_S = 0.2


class Duty:
    """See the module.

    Args:
        holder: name of this instance.
        lease_s: how long the lease holds without being renewed.
        begin: prepares a term; after it limits and the kill switch are served. Then `read` reads every account.
        end: a term is over; nothing is decided any more.
    """

    def __init__(
        self,
        database: Database,
        holder: str,
        note: Any,
        *,
        lease_s: float,
        begin: Callable[[Term], Awaitable[None]],
        read: Callable[[], Awaitable[None]],
        end: Callable[[], None],
    ) -> None:
        self._database = database
        self._holder = holder
        self._note = note
        self._lease_s = lease_s
        self._begin = begin
        self._read = read
        self._end = end
        self._term: Term | None = None
        self._held_until_s = 0.0
        self._serving = False
        self.decider = ""
        """The instance that held the lease when this one last looked; empty if none is known to."""
        self.reading = ""
        """Why orders are not authorised yet; empty once they are."""

    @property
    def term(self) -> Term | None:
        """The term, while this instance holds the lease for certain and has loaded limits and kills."""
        if self._serving and time.monotonic() < self._held_until_s:
            return self._term
        return None

    @property
    def ready(self) -> bool:
        """Whether this instance may authorise."""
        return not self.reading and self.term is not None

    async def run(self) -> None:
        """Takes the lease when it is free and holds it, until it is cancelled."""
        try:
            while True:
                try:
                    asked_s = time.monotonic()
                    self._term = await Term.begin(self._database, self._holder, self._lease_s)
                except LeaseHeld as held:
                    self.decider = held.holder
                    await asyncio.sleep(min(max(held.remaining_s, 0.05), self._lease_s / 3))
                    continue
                except (StoreUnavailable, OutcomeUnknown) as error:
                    self._note.warning("the lease cannot be asked for", why=str(error))
                    await asyncio.sleep(RETRY_S)
                    continue
                self._held_until_s = asked_s + self._lease_s
                await self._serve_term(self._term)
        finally:
            if self._term is not None:
                with contextlib.suppress(StoreUnavailable, OutcomeUnknown, TimeoutError):
                    async with asyncio.timeout(1.0):
                        await self._term.lease.release()

    async def _serve_term(self, term: Term) -> None:
        self.decider = self._holder
        self.reading = "it has begun to read limits and accounts just now"
        self._note.info("decides before trades", epoch=term.lease.epoch)
        working = asyncio.create_task(self._take_up(term))
        renewing = asyncio.create_task(self._renew(term))
        try:
            await asyncio.wait((working, renewing), return_when=asyncio.FIRST_COMPLETED)
            if working.done() and not working.cancelled() and (error := working.exception()) is None:
                await renewing
            elif working.done() and error is not None:
                raise error
            else:
                await renewing
        except (StaleWriter, StoreUnavailable, OutcomeUnknown) as error:
            self._note.warning("decides no more", why=str(error))
        finally:
            try:
                await end((working, renewing))
            finally:
                self._serving, self.decider = False, ""
                self._end()

    async def _take_up(self, term: Term) -> None:
        await self._begin(term)
        self._serving = True
        while True:
            try:
                await self._read()
            except CallError as error:
                self.reading = f"trading does not answer: {error.message}"
                await asyncio.sleep(RETRY_S)
            else:
                self.reading = ""
                self._note.info("authorises orders", epoch=term.lease.epoch)
                return

    async def _renew(self, term: Term) -> None:
        while True:
            await asyncio.sleep(self._lease_s / 3)
            asked_s = time.monotonic()
            try:
                await term.lease.renew()
            except StoreUnavailable as error:
                if asked_s > self._held_until_s:
                    raise
                self._note.warning("the lease was not renewed", why=str(error))
            else:
                self._held_until_s = asked_s + self._lease_s
