"""The gate of the kill switch: in the database where orders are committed, and its effect on what works."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.trading.v1 import order_pb2
from crossrate.store.database import Database
from services.trading import messages
from services.trading.domain import gate as domain
from services.trading.domain.account import Account
from services.trading.domain.gate import Mode, Rule
from services.trading.domain.lifecycle import Reason, Status
from services.trading.domain.order import Order
from services.trading.engine.accounts import Accounts
from services.trading.engine.writer import Writer
from services.trading.store import Batch

WORDS = "the kill switch ended it: see risk's GetState for who engaged it and why"


class GateKeeper:
    """Applies gates, and cancels what they end among this instance's accounts."""

    def __init__(self, database: Database, accounts: Accounts, writer: Writer, note: Any) -> None:
        self._database = database
        self._accounts = accounts
        self._writer = writer
        self._note = note
        self._version = 0
        self._rules: tuple[Rule, ...] = ()

    async def version(self) -> int:
        """The gate's version as committed.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            return await connection.fetchval("SELECT version FROM gate")

    async def apply(self, gate: gate_pb2.Gate) -> tuple[int, list[order_pb2.Order]]:
        """Commits a gate unless a newer one is there. Waits for commits that were admitted under the one before.

        Returns:
            The version that holds now, and the orders that worked in its scopes then.

        Raises:
            StoreUnavailable: nothing was done.
            OutcomeUnknown: it may have been done; doing it again is safe.
        """
        async with self._database.transaction() as connection:
            await connection.execute(
                "UPDATE gate SET version = $1, content = $2 WHERE version < $1", gate.version, gate.SerializeToString()
            )
            version, content = await connection.fetchrow("SELECT version, content FROM gate")
            rows = await connection.fetch("SELECT content FROM client_order WHERE working")
        rules = rules_of(gate_pb2.Gate.FromString(content))
        working = [messages.order_of(order_pb2.Order.FromString(row[0])) for row in rows]
        self._take(version, rules)
        reached = [order for order in working if any(domain.reaches(rule, order, _of(order)) for rule in rules)]
        return version, [order.image for order in reached]

    async def look(self) -> None:
        """Takes the gate over from the database, if another instance has applied one.

        Raises:
            StoreUnavailable: the database is away.
        """
        async with self._database.connection() as connection:
            version = await connection.fetchval("SELECT version FROM gate")
            if version <= self._version:
                return
            content = await connection.fetchval("SELECT content FROM gate")
        gate = gate_pb2.Gate.FromString(content)
        self._take(gate.version, rules_of(gate))

    def _take(self, version: int, rules: Sequence[Rule]) -> None:
        if version <= self._version:
            return
        self._version, self._rules = version, tuple(rules)
        self._note.warning("the gate has changed", version=version, rules=len(rules))
        for account in list(self._accounts.held.values()):
            self._end(account)

    async def claimed(self, account: Account) -> None:
        """An account is here now: what the gate ends there ends."""
        self._end(account)

    def _end(self, account: Account) -> None:
        if self._rules and any(not order.final for order in account.orders.values()):
            self._writer.work(account.name, self._cancel)

    def _cancel(self, account: Account, batch: Batch) -> None:
        version, rules = self._version, self._rules
        ended = [o for o in account.orders.values() if domain.ended(account, o, version, rules, _of(o))]
        for order in ended:
            if order.final or order.status is Status.PENDING_CANCEL or order.terms.quote_id:
                continue
            account.ask_cancel(order, Reason.KILL_SWITCH, f"gate:{version}", batch, WORDS)


def _of(order: Order) -> dict[str, str]:
    return {"strategy": order.image.terms.strategy, "venue": order.venue or order.image.terms.venue}


def rules_of(gate: gate_pb2.Gate) -> list[Rule]:
    """The rules of a gate."""
    return [Rule(r.scope.kind, r.scope.name, Mode(r.mode), frozenset(r.accounts)) for r in gate.rules]
