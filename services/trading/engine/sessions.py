"""Sessions that are open, in the database: whoever looks after an account cancels what a lost session has asked for.

A session that asked for cancel-on-disconnect has a row from its logon to its logout. While its connection stands, its
row is renewed; a row that was not renewed in time means that the client is gone, or the instance with it, and any
instance then cancels the orders that were entered on it.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

from crossrate.rpc.call import new_request_id
from crossrate.store.database import Database
from crossrate.store.errors import StoreError
from services.trading.domain.account import Account
from services.trading.domain.lifecycle import Reason, Status
from services.trading.engine.writer import Writer
from services.trading.store import Batch

_OPEN = """
INSERT INTO trade_session (account, session, connection, cancel_on_disconnect, silence_s, expire_time)
VALUES ($1, $2, $3, $4, $5, now() + $5 * interval '1 second')
ON CONFLICT (account, session) DO UPDATE SET connection = excluded.connection, silence_s = excluded.silence_s,
    cancel_on_disconnect = excluded.cancel_on_disconnect, expire_time = excluded.expire_time"""
_RENEW = """
UPDATE trade_session SET expire_time = now() + silence_s * interval '1 second'
WHERE connection = ANY ($1::text[]) RETURNING connection"""
_LOST = """
SELECT account, session, connection FROM trade_session
WHERE cancel_on_disconnect AND expire_time < now() LIMIT 100"""
WORDS = "the session that entered it was lost, and had asked for that"


@dataclass(eq=False)
class Held:
    """One connection that holds a session."""

    account: str
    session: str
    connection: str
    replaced: asyncio.Event = field(default_factory=asyncio.Event)


class Sessions:
    """The sessions of this instance, and the lost ones of all."""

    def __init__(self, database: Database, writer: Writer, note: Any, *, interval_s: float) -> None:
        self._database = database
        self._writer = writer
        self._note = note
        self._interval_s = interval_s
        self._held: dict[tuple[str, str], Held] = {}

    async def open(self, account: str, session: str, cancel_on_disconnect: bool, silence_s: float) -> Held:
        """A connection takes a session, from another one if that has it.

        Raises:
            StoreUnavailable: the database is away.
        """
        held = Held(account, session, new_request_id())
        async with self._database.connection() as connection:
            await connection.execute(_OPEN, account, session, held.connection, cancel_on_disconnect, silence_s)
        before = self._held.get((account, session))
        if before is not None:
            before.replaced.set()
        self._held[account, session] = held
        return held

    async def left(self, held: Held, *, in_order: bool) -> None:
        """A connection has ended. Without a logout its row stays until it runs out, unless the client comes back."""
        if self._held.get((held.account, held.session)) is held:
            del self._held[held.account, held.session]
        if in_order:
            try:
                await self._remove(held.connection)
            except StoreError as error:
                self._note.warning("a session's end was not written down", session=held.session, why=str(error))

    async def _remove(self, connection_id: str) -> None:
        async with self._database.connection() as connection:
            await connection.execute("DELETE FROM trade_session WHERE connection = $1", connection_id)

    async def run(self) -> None:
        """Renews what is held and cancels for what was lost, until it is cancelled."""
        while True:
            await asyncio.sleep(self._interval_s)
            try:
                await self._look()
            except StoreError as error:
                self._note.warning("sessions cannot be looked after", why=str(error))

    async def _look(self) -> None:
        async with self._database.connection() as connection:
            if self._held:
                mine = {held.connection: held for held in self._held.values()}
                renewed = {row[0] for row in await connection.fetch(_RENEW, list(mine))}
                for name in mine.keys() - renewed:
                    mine[name].replaced.set()  # by a connection to another instance
            lost = await connection.fetch(_LOST)
        for account, session, connection_id in lost:
            self._note.warning("a session was lost; its orders are cancelled", account=account, session=session)
            await self._writer.work(account, _cancel(session))
            await self._remove(connection_id)


def _cancel(session: str) -> Any:
    def do(account: Account, batch: Batch) -> None:
        for order in list(account.orders.values()):
            if order.session != session or order.final or order.status is Status.PENDING_CANCEL or order.terms.quote_id:
                continue
            account.ask_cancel(order, Reason.DISCONNECT, f"session:{session}"[:64], batch, WORDS)

    return do
