"""Keeps the catalogue up to date with changes that another instance made."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any

from crossrate.store.errors import StoreUnavailable
from services.reference.catalogue import Catalogue
from services.reference.store import Store


class Follower:
    """Reads the journal after its position and applies what it finds.

    An instance's own changes are in its catalogue before they are acknowledged; another's come within one interval.
    While the database is away nobody can change a status and the catalogue keeps answering, but not for ever: an
    instance that is cut off alone would miss a halt, so that after `stale_s_max` its health fails.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: Store,
        position: int,
        log: Any,
        *,
        interval_s: float = 0.5,
        stale_s_max: float = 10.0,
        clock_s: Callable[[], float] = monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._position = position
        self._log = log
        self._interval_s = interval_s
        self._stale_s_max = stale_s_max
        self._clock_s = clock_s
        self._caught_up_s = clock_s()

    async def catch_up(self) -> int:
        """Applies everything after the position and returns how many states were new.

        Raises:
            StoreUnavailable: the database is away; what was applied stays applied.
        """
        asked_s, new = self._clock_s(), 0
        async for position, state in self._store.follow(self._position):
            new += self._catalogue.apply(state)
            self._position = position
        self._caught_up_s = asked_s
        return new

    async def check(self) -> None:
        """Raises StoreUnavailable if the catalogue may be older than `stale_s_max`. For health."""
        age_s = self._clock_s() - self._caught_up_s
        if age_s > self._stale_s_max:
            raise StoreUnavailable(f"statuses are {age_s:.0f} s old; the most is {self._stale_s_max:g} s")

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
