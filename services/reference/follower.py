"""Keeps the catalogue up to date with changes that another instance made."""

from __future__ import annotations

import asyncio
from typing import Any

from crossrate.store.errors import StoreUnavailable
from services.reference.catalogue import Catalogue
from services.reference.store import Store


class Follower:
    """Reads the journal after its position and applies what it finds.

    An instance's own changes are in its catalogue before they are acknowledged; another's come within one interval.
    While the database is away the catalogue keeps answering, as old as it is, and health says so.
    """

    def __init__(self, catalogue: Catalogue, store: Store, position: int, interval_s: float, log: Any) -> None:
        self._catalogue = catalogue
        self._store = store
        self._position = position
        self._interval_s = interval_s
        self._log = log

    async def catch_up(self) -> int:
        """Applies everything after the position and returns how many states were new.

        Raises:
            StoreUnavailable: the database is away; what was applied stays applied.
        """
        new = 0
        async for position, state in self._store.follow(self._position):
            new += self._catalogue.apply(state)
            self._position = position
        return new

    async def run(self) -> None:
        """Catches up for ever; ends by cancellation."""
        away = False
        while True:
            try:
                await self.catch_up()
            except StoreUnavailable as error:
                if not away:
                    self._log.warning("cannot follow other instances' changes", error=str(error))
                away = True
            else:
                away = False
            await asyncio.sleep(self._interval_s)
