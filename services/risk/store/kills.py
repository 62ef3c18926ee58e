"""Kills, resumptions, dead-man leases and certificates in the service's schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import asyncpg

from crossrate.api.risk.v1 import break_gate_pb2, dead_man_lease_pb2, kill_switch_pb2, risk_events_pb2
from crossrate.store.database import Database
from crossrate.store.requests import RequestLog
from services.risk.store.term import Term

SUBJECT = "kill_switch_changed"


@dataclass(slots=True)
class Kept:
    """What a term begins with."""

    gate_version: int
    kills: list[kill_switch_pb2.Kill] = field(default_factory=list)
    proposals: list[kill_switch_pb2.ResumeProposal] = field(default_factory=list)
    leases: list[dead_man_lease_pb2.DeadManLease] = field(default_factory=list)
    certificates: list[kill_switch_pb2.KillCertificate] = field(default_factory=list)
    break_gates: list[break_gate_pb2.SetBreakGatesRequest] = field(default_factory=list)


class KillStore:
    """See the module. Raises as LimitStore."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._requests = RequestLog(database)

    async def begin(self, term: Term) -> Kept:
        """Everything that is in force, under a version of the gate that fences the term before."""
        async with term.transaction() as connection:
            version = await term.raise_gate(connection)
            kills = await connection.fetch("SELECT content FROM kill WHERE engaged ORDER BY number")
            proposals = await connection.fetch("SELECT content FROM resume_proposal WHERE pending")
            leases = await connection.fetch("SELECT content FROM dead_man_lease")
            certificates = await connection.fetch("SELECT content FROM certificate WHERE NOT complete ORDER BY number")
            breaks = await connection.fetch("SELECT content FROM break_gate ORDER BY venue")
        return Kept(
            version,
            [kill_switch_pb2.Kill.FromString(row["content"]) for row in kills],
            [kill_switch_pb2.ResumeProposal.FromString(row["content"]) for row in proposals],
            [dead_man_lease_pb2.DeadManLease.FromString(row["content"]) for row in leases],
            [kill_switch_pb2.KillCertificate.FromString(row["content"]) for row in certificates],
            [break_gate_pb2.SetBreakGatesRequest.FromString(row["content"]) for row in breaks],
        )

    async def known(self, request_id: str, body: bytes) -> bytes | None:
        """The answer that a request was given before."""
        return await self._requests.known(request_id, body)

    async def engage(
        self,
        term: Term,
        request_id: str,
        body: bytes,
        kill: kill_switch_pb2.Kill,
        state: Callable[[], kill_switch_pb2.KillSwitchState],
    ) -> bytes:
        """Keeps a kill and its empty certificate once, under the next version of the gate; returns the kill."""

        async def work(connection: asyncpg.Connection) -> bytes:
            await term.fence(connection)
            kill.gate_version = await term.raise_gate(connection)
            content = kill.SerializeToString()
            await connection.execute("INSERT INTO kill (kill_id, content) VALUES ($1, $2)", kill.kill_id, content)
            empty = kill_switch_pb2.KillCertificate(certificate_id=kill.kill_id, kill=kill).SerializeToString()
            await connection.execute(
                "INSERT INTO certificate (certificate_id, summary, content) VALUES ($1, $2, $2)", kill.kill_id, empty
            )
            after = state()
            after.gate_version = kill.gate_version
            after.kills.append(kill)
            fact = risk_events_pb2.KillSwitchChanged(state=after, change="engaged", actor=kill.engaged_by)
            await term.tell(connection, SUBJECT, fact, request_id, kill.engage_time.ToNanoseconds())
            return content

        return await self._requests.once(request_id, body, work)

    async def gate_breaks(
        self,
        term: Term,
        said: break_gate_pb2.SetBreakGatesRequest,
        actor: str,
        after: kill_switch_pb2.KillSwitchState,
        time_ns: int,
    ) -> int:
        """Keeps what breaks stop at a venue, under the next version of the gate, which is returned."""
        async with term.transaction() as connection:
            version = await term.raise_gate(connection)
            await connection.execute(
                "INSERT INTO break_gate (venue, number, content) VALUES ($1, $2, $3) "
                "ON CONFLICT (venue) DO UPDATE SET number = excluded.number, content = excluded.content",
                said.venue,
                said.number,
                said.SerializeToString(),
            )
            after.gate_version = version
            fact = risk_events_pb2.KillSwitchChanged(state=after, change="breaks", actor=actor)
            await term.tell(connection, SUBJECT, fact, said.request_id, time_ns)
        return version

    async def propose(
        self, term: Term, request_id: str, body: bytes, proposal: kill_switch_pb2.ResumeProposal
    ) -> bytes:
        """Keeps a proposal once; returns it."""

        async def work(connection: asyncpg.Connection) -> bytes:
            await term.fence(connection)
            content = proposal.SerializeToString()
            await connection.execute(
                "INSERT INTO resume_proposal (proposal_id, kill_id, content) VALUES ($1, $2, $3)",
                proposal.proposal_id,
                proposal.kill_id,
                content,
            )
            return content

        return await self._requests.once(request_id, body, work)

    async def resume(
        self,
        term: Term,
        request_id: str,
        body: bytes,
        proposal: kill_switch_pb2.ResumeProposal,
        actor: str,
        state: Callable[[], kill_switch_pb2.KillSwitchState],
        time_ns: int,
    ) -> bytes:
        """Ends a kill once; returns the state after it."""

        async def work(connection: asyncpg.Connection) -> bytes:
            await term.fence(connection)
            after = state()
            after.gate_version = await term.raise_gate(connection)
            await connection.execute("UPDATE kill SET engaged = false WHERE kill_id = $1", proposal.kill_id)
            await connection.execute("UPDATE resume_proposal SET pending = false WHERE kill_id = $1", proposal.kill_id)
            fact = risk_events_pb2.KillSwitchChanged(state=after, change="resumed", actor=actor)
            await term.tell(connection, SUBJECT, fact, request_id, time_ns)
            return after.SerializeToString()

        return await self._requests.once(request_id, body, work)

    async def register(self, term: Term, request_id: str, body: bytes, lease: dead_man_lease_pb2.DeadManLease) -> bytes:
        """Keeps a dead-man lease once; returns it."""

        async def work(connection: asyncpg.Connection) -> bytes:
            await term.fence(connection)
            content = lease.SerializeToString()
            await connection.execute("INSERT INTO dead_man_lease VALUES ($1, $2)", lease.lease_id, content)
            return content

        return await self._requests.once(request_id, body, work)

    async def release(self, term: Term, lease_id: str) -> None:
        """A lease ends."""
        async with term.transaction() as connection:
            await connection.execute("DELETE FROM dead_man_lease WHERE lease_id = $1", lease_id)

    async def certify(self, term: Term, certificate: kill_switch_pb2.KillCertificate) -> None:
        """Keeps what a certificate has come to."""
        summary = kill_switch_pb2.KillCertificate()
        summary.CopyFrom(certificate)
        summary.ClearField("orders")
        summary.ClearField("steps")
        async with term.transaction() as connection:
            await connection.execute(
                "UPDATE certificate SET complete = $2, summary = $3, content = $4 WHERE certificate_id = $1",
                certificate.certificate_id,
                certificate.HasField("complete_time"),
                summary.SerializeToString(),
                certificate.SerializeToString(),
            )

    async def certificate(self, certificate_id: str) -> kill_switch_pb2.KillCertificate | None:
        """A certificate; None if there is none of that id."""
        async with self._database.connection() as connection:
            content = await connection.fetchval(
                "SELECT content FROM certificate WHERE certificate_id = $1", certificate_id
            )
        return None if content is None else kill_switch_pb2.KillCertificate.FromString(content)

    async def certificates(self, before: int, size: int) -> list[tuple[int, kill_switch_pb2.KillCertificate]]:
        """Certificates below a number (0: from the newest), newest first, without orders and steps."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT number, summary FROM certificate WHERE $1 = 0 OR number < $1 ORDER BY number DESC LIMIT $2",
                before,
                size,
            )
        return [(row["number"], kill_switch_pb2.KillCertificate.FromString(row["summary"])) for row in rows]
