"""Accounts that others take away at once, and instructions that are told again while they wait."""

from __future__ import annotations

import pytest
import structlog

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.store.errors import StoreUnavailable
from services.trading.domain.account import Account
from services.trading.engine.accounts import CLAIMS_MAX, Accounts
from services.trading.engine.dispatch import Dispatch
from services.trading.store.commits import Claimed


class Taken:
    """A store whose accounts another instance takes away as soon as they were claimed, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.claims = 0
        self.accounts: Accounts

    async def claim(self, names: list[str]) -> list[Claimed]:
        """Claims them."""
        self.claims += 1
        return [Claimed(Account(name), self.claims) for name in names]

    async def claimed(self, account: Account) -> None:
        """Somebody else's commit comes between the claim and who asked for it."""
        if self.claims <= self.times:
            self.accounts.drop([account.name])


def taken(times: int) -> Taken:
    """Such a store, with the accounts of an instance."""
    store = Taken(times)
    store.accounts = Accounts(store, structlog.get_logger())
    store.accounts.on_claimed(store.claimed)
    return store


async def test_an_account_that_is_taken_away_is_claimed_again() -> None:
    """Whoever asks for it has it in the end."""
    store = taken(2)
    assert (await store.accounts.account("alpha")).name == "alpha"
    assert store.claims == 3


async def test_an_account_that_is_taken_away_each_time_is_not_to_be_had() -> None:
    """The call is answered as when the database is away: it may be repeated."""
    store = taken(CLAIMS_MAX)
    with pytest.raises(StoreUnavailable):
        await store.accounts.account("alpha")


def test_an_instruction_that_waits_is_not_added_again() -> None:
    """Broker refuses a call that names one twice."""
    dispatch = Dispatch(None, lambda instruction, why: None, structlog.get_logger())
    for names in (["a", "b"], ["b", "c"], ["a"]):
        dispatch.add([routing.Instruction(instruction_id=name) for name in names])
    assert dispatch.waiting == 3
