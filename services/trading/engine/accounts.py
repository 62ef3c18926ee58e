"""The accounts that this instance owns, in memory; everything else is in the database."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

from crossrate.store.errors import StoreError, StoreUnavailable
from services.trading.domain.account import Account
from services.trading.store import Store

ACCOUNTS_CLAIMED_MAX = 200
"""Accounts that are claimed in one transaction."""
ADOPT_PAUSE_S = 0.2
CLAIMS_MAX = 10
"""How often a call claims an account that others take away before it looks at it."""

Claimed = Callable[[Account], Awaitable[None]]


class Accounts:
    """See the module. What is not here is claimed when it is asked for; `drop` forgets.

    Args:
        store: where they are.
        claimed: called with each account that was claimed, before anybody else sees it.
    """

    def __init__(self, store: Store, note: Any) -> None:
        self._store = store
        self._note = note
        self._turn = asyncio.Lock()
        self._claimed: list[Claimed] = []
        self._wanted: set[str] = set()
        self._wanting = asyncio.Event()
        self.held: dict[str, Account] = {}
        self.epochs: dict[str, int] = {}

    def on_claimed(self, call: Claimed) -> None:
        """Registers who has to know of each account that is claimed."""
        self._claimed.append(call)

    async def ensure(self, names: Iterable[str]) -> None:
        """Claims those of the accounts that are not here.

        Raises:
            StoreUnavailable, OutcomeUnknown: the database is away.
        """
        if all(name in self.held for name in names):
            return
        async with self._turn:
            missing = sorted({name for name in names if name not in self.held})
            for first in range(0, len(missing), ACCOUNTS_CLAIMED_MAX):
                for each in await self._store.claim(missing[first : first + ACCOUNTS_CLAIMED_MAX]):
                    account = each.account
                    self.epochs[account.name] = each.epoch
                    self.held[account.name] = account
                    self._wanted.discard(account.name)
                    for call in self._claimed:
                        await call(account)

    async def account(self, name: str) -> Account:
        """The account as it stands, claimed if it is not here. Another instance may take it away at once: then again.

        Raises:
            StoreUnavailable, OutcomeUnknown: the database is away, or the account was taken away each time.
        """
        for _ in range(CLAIMS_MAX):
            await self.ensure([name])
            if (account := self.held.get(name)) is not None:
                return account
        raise StoreUnavailable(f"account {name} is being taken over again and again")

    def drop(self, names: Iterable[str]) -> None:
        """Forgets accounts: another instance has them, or memory is ahead of the database."""
        for name in names:
            self.held.pop(name, None)
            self.epochs.pop(name, None)

    def want(self, names: Iterable[str]) -> None:
        """Accounts that have to be claimed again as soon as that is possible: somebody must look after their orders."""
        self._wanted.update(name for name in names if name not in self.held)
        self._wanting.set()

    async def run(self) -> None:
        """Claims what is wanted, until it is cancelled."""
        while True:
            await self._wanting.wait()
            self._wanting.clear()
            while self._wanted:
                try:
                    await self.ensure(sorted(self._wanted))
                    self._wanted -= self.held.keys()
                except StoreError as error:
                    self._note.warning("accounts cannot be claimed", count=len(self._wanted), why=str(error))
                    await asyncio.sleep(ADOPT_PAUSE_S)
