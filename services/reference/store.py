"""Where statuses are kept: the port, and PostgreSQL behind it.

A change, its event, and the answer to its request id are committed in one transaction. Any instance may write: it reads
the state under a lock within the transaction, and takes the journal's lease over from an instance that is being
replaced. So memory is never the authority for a write, only for reads, which `follow` brings up to date.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import asyncpg

from crossrate.api.reference.v1 import reference_events_pb2, reference_service_pb2
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.rpc.call import current_or_none
from crossrate.store.database import Database
from crossrate.store.fenced import FencedRequests
from crossrate.store.journal import Fact, Journal, Lease
from services.reference.domain import SetStatus, State, Status, StatusChanged, decide, evolve, initial
from services.reference.messages import instrument_message, status_changed_message

STREAM = "instruments"
"""The journal's stream: every change of every instrument, in order of commit."""
LEASE = "instruments"
SUBJECT = "crossrate.reference.v1.instrument_status_changed.{base}-{counter}"


@dataclass(frozen=True, slots=True)
class Change:
    """A change's answer (a SetInstrumentStatusResponse), and the new state; None when the answer is a repetition."""

    answer: bytes
    state: State | None


class Store(Protocol):
    """The port."""

    async def set_status(self, pair: Pair, command: SetStatus, body: bytes, now: datetime) -> Change:
        """Does a command once: the same request id and body give the same answer, also after a restart.

        Args:
            body: what a repetition must have in common.

        Raises:
            VersionConflict, Ended: the domain refuses it; nothing is kept of the request.
            RequestIdReused: the id came before with another body.
            StoreUnavailable: nothing was done.
            OutcomeUnknown: it may have been done; the same request tells.
        """
        ...

    async def load(self) -> tuple[list[State], int]:
        """The states of instruments that ever changed, and the position from which to follow.

        Raises:
            StoreUnavailable: the database is away.
        """
        ...

    def follow(self, position: int) -> AsyncIterator[tuple[int, State]]:
        """The changes after a position, by whomever, each with its own position; ends when there are no more.

        Raises:
            StoreUnavailable: the database is away.
        """
        ...


class PostgresStore:
    """Statuses in the service's schema."""

    def __init__(self, database: Database, holder: str) -> None:
        """`holder` names this instance in the lease."""
        self._database = database
        self._journal = Journal(database)
        self._requests = FencedRequests(database, LEASE, holder)

    async def set_status(self, pair: Pair, command: SetStatus, body: bytes, now: datetime) -> Change:
        """See Store."""
        made: list[State] = []

        async def work(connection: asyncpg.Connection, lease: Lease) -> bytes:
            made.clear()
            state = await self._change(connection, lease, pair, command, now)
            made.append(state)
            message = instrument_message(CONVENTIONS[pair], state)
            return reference_service_pb2.SetInstrumentStatusResponse(instrument=message).SerializeToString()

        answer = await self._requests.once(command.request_id, body, work)
        return Change(answer, made[-1] if made else None)

    async def load(self) -> tuple[list[State], int]:
        """See Store. The position is read first: a change in between is loaded and then followed, which is no harm."""
        position = await self._journal.last_seq(STREAM)
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT base, counter, status, version, update_time FROM instrument_status")
        return [_state(Pair(row["base"], row["counter"]), row) for row in rows], position

    async def follow(self, position: int) -> AsyncIterator[tuple[int, State]]:
        """See Store."""
        async for entry in self._journal.read(STREAM, position):
            event = reference_events_pb2.InstrumentStatusChanged.FromString(entry.fact.payload)
            instrument = event.instrument
            yield (
                entry.seq,
                State(
                    pair=Pair(instrument.base, instrument.counter),
                    status=Status(instrument.status),
                    version=instrument.version,
                    update_time=instrument.update_time.ToDatetime(UTC),
                ),
            )

    async def forget_answers(self, older_than_s: float) -> int:
        """Deletes answers to request ids older than that and returns how many; at most 10,000 a call.

        Raises:
            StoreUnavailable: the database is away.
        """
        return await self._requests.forget(older_than_s)

    async def _change(
        self, connection: asyncpg.Connection, lease: Lease, pair: Pair, command: SetStatus, now: datetime
    ) -> State:
        # A pair without a row has nothing to lock, so the lock is on its name.
        await connection.execute("SELECT pg_advisory_xact_lock(hashtext('instrument'), hashtext($1))", str(pair))
        row = await connection.fetchrow(
            "SELECT status, version, update_time FROM instrument_status WHERE base = $1 AND counter = $2", *pair
        )
        state = _state(pair, row) if row is not None else initial(pair)
        events = decide(state, command, now)
        if not events:
            return state
        facts = []
        for event in events:
            state = evolve(state, event)
            facts.append(_fact(event, state))
        await self._journal.append(connection, lease, STREAM, facts)
        await connection.execute(
            "INSERT INTO instrument_status (base, counter, status, version, update_time) VALUES ($1, $2, $3, $4, $5) "
            "ON CONFLICT (base, counter) DO UPDATE "
            "SET status = excluded.status, version = excluded.version, update_time = excluded.update_time",
            *pair,
            int(state.status),
            state.version,
            state.update_time,
        )
        return state


def _state(pair: Pair, row: asyncpg.Record) -> State:
    return State(pair, Status(row["status"]), row["version"], row["update_time"])


def _fact(event: StatusChanged, state: State) -> Fact:
    message = status_changed_message(event, CONVENTIONS[event.pair], state)
    call = current_or_none()
    return Fact(
        subject=SUBJECT.format(base=event.pair.base, counter=event.pair.counter),
        type=message.DESCRIPTOR.full_name,
        payload=message.SerializeToString(),
        time_ns=int(event.time.timestamp()) * 1_000_000_000 + event.time.microsecond * 1000,
        request_id=event.request_id,
        traceparent=call.traceparent if call is not None else "",
    )
