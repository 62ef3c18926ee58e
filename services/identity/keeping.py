"""What is done by itself: signing keys in time, what another instance has made, what is over."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from crossrate.store.errors import OutcomeUnknown, StaleWriter, StoreUnavailable
from services.identity.domain.signing_key import Schedule
from services.identity.settings import Settings
from services.identity.signing import LEEWAY_S, NoKey, Signer
from services.identity.store import keys, tokens
from services.identity.store.ending import revoke
from services.identity.store.writing import Change, Origin, Writer
from services.identity.vault import Vault

STALE_S_MAX = 20.0
"""How long an instance may have been without the database: its keys could have been dropped meanwhile."""


class Keeping:
    """Keeps keys and tables in order."""

    def __init__(
        self,
        writer: Writer,
        vault: Vault,
        signer: Signer,
        settings: Settings,
        clock: Callable[[], datetime],
        log: Any,
    ) -> None:
        self._writer = writer
        self._vault = vault
        self._signer = signer
        self._settings = settings
        self._clock = clock
        self._log = log
        self._refreshed_at: datetime | None = None

    async def refresh(self) -> list[Schedule]:
        """Knows the keys as they stand, and makes one if it is time.

        Raises:
            StoreUnavailable, StaleWriter: the database is away, or busy.
            VaultError: the vault is another than the keys were sealed with.
        """
        settings = self._settings

        async def work(change: Change) -> None:
            await keys.rotate_if_due(
                change,
                self._vault,
                rotate_s=settings.key_life_s,
                lead_s=settings.jwks_refresh_s,
                token_s=settings.token_life_s,
                leeway_s=LEEWAY_S,
            )

        await self._writer.change(Origin(principal="identity"), work)
        async with self._writer.database.connection() as connection:
            self._signer.take(await keys.load_keys(connection, self._vault))
        self._refreshed_at = self._clock()
        return self._signer.schedules

    async def rotate(self, change: Change, compromised: bool, comment: str) -> list[Schedule]:
        """A new key, within a request's change. With `compromised` every session ends: who has the key could have made
        tokens of any of them."""
        settings = self._settings
        schedules = await keys.rotate(
            change,
            self._vault,
            lead_s=settings.jwks_refresh_s,
            token_s=settings.token_life_s,
            leeway_s=LEEWAY_S,
            compromised=compromised,
        )
        if compromised:
            await revoke(change, "subject <> $3", "", "COMPROMISED", comment)
        return schedules

    async def check(self) -> None:
        """Raises while nothing can be signed, or the keys may be old. For health."""
        now = self._clock()
        if self._refreshed_at is None or (now - self._refreshed_at).total_seconds() > STALE_S_MAX:
            raise NoKey("the signing keys were not read lately")

    async def run(self) -> None:
        """Follows for ever; ends by cancellation."""
        away, forgotten_at = False, self._clock()
        while True:
            await asyncio.sleep(self._settings.follow_interval_s)
            try:
                await self.refresh()
                if (self._clock() - forgotten_at).total_seconds() > self._settings.forget_interval_s:
                    forgotten_at = self._clock()
                    await self._forget()
            except (StoreUnavailable, StaleWriter, OutcomeUnknown) as error:
                if not away:
                    self._log.warning("signing keys cannot be followed", error=str(error))
                away = True
            else:
                away = False

    async def _forget(self) -> None:
        async with self._writer.database.transaction() as connection:
            await tokens.forget(connection, self._clock())
        await self._writer.forget(self._settings.answers_kept_s)
