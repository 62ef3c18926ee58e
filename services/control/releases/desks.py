"""Which desk an account belongs to: by ledger's facts, which have every account with each of its changes."""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.message import DecodeError

from crossrate.api.ledger.v1.account_events_pb2 import AccountChanged
from crossrate.events import EventsError
from services.control.bus import Bus

STREAM, SUBJECT = "ledger", "crossrate.ledger.v1.account_changed.*"
ACCOUNTS_MAX = 200_000
"""Accounts that are remembered; the desk of others is not known."""
READ_AGAIN_S = 1.0
UNREACHED_S = 5.0


class Desks:
    """Desks by account, as long as `run` reads them.

    Args:
        bus: where the facts are; in a mesh in which control does not read them no desk is known.
    """

    def __init__(self, bus: Bus, log: Any) -> None:
        self._bus, self._log = bus, log
        self._desks: dict[str, str] = {}
        self._read = 0

    def of(self, account: str) -> str:
        """The desk of an account; empty if it is not known."""
        return self._desks.get(account, "")

    def take(self, payload: bytes) -> None:
        """Takes one fact."""
        try:
            account = AccountChanged.FromString(payload).account
        except DecodeError:
            return
        if account.account in self._desks or len(self._desks) < ACCOUNTS_MAX:
            self._desks[account.account] = account.desk

    async def run(self) -> None:
        """Reads what there is and what comes, until it is cancelled."""
        if not self._bus.reads(STREAM):
            return
        while True:
            try:
                page = await self._bus.read(STREAM, self._read, SUBJECT)
            except EventsError as error:
                self._log.warning("desks of accounts cannot be read", reason=str(error))
                await asyncio.sleep(UNREACHED_S)
                continue
            for event in page:
                self.take(event.payload)
                self._read = event.sequence
            if not page:
                await asyncio.sleep(READ_AGAIN_S)
