"""The kill switch of one term: persisted first, refused from then on, and told to trading until trading has it."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Iterator
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import break_gate_pb2, dead_man_lease_pb2, kill_switch_pb2
from crossrate.rpc import errors
from crossrate.rpc.client import CallError
from crossrate.store.errors import OutcomeUnknown
from services.risk.break_gates import BreakGates
from services.risk.certificates import Certificates
from services.risk.domain.pretrade.accounts import Book
from services.risk.domain.pretrade.authorise import Authoriser
from services.risk.domain.pretrade.gate import Gate, Mode, Rule
from services.risk.messages.gates import MARGIN, gate_of
from services.risk.scopes import check_scope
from services.risk.store import KillStore, Term
from services.risk.store.kills import Kept
from services.risk.trading_peer import Trading

KILLS_MAX = 900
"""Kills engaged at once; a gate has at most 1,000 rules."""
LEASES_MAX = 1000
RETRY_S = 0.2
LEASE_CHECK_S = 0.05


class KillSwitch:
    """See the module. Made for one term.

    Args:
        authoriser: refuses by its gate.
        book: whose accounts a desk has.
        now_ns: the clock, ns since 1970, UTC.
        doubt: called when it cannot be known whether something was committed; the term has to be begun anew.
    """

    def __init__(
        self,
        term: Term,
        store: KillStore,
        kept: Kept,
        trading: Trading,
        authoriser: Authoriser,
        book: Book,
        certificates: Certificates,
        note: Any,
        now_ns: Callable[[], int],
        doubt: Callable[[], None],
    ) -> None:
        self._term = term
        self._store = store
        self._trading = trading
        self._authoriser = authoriser
        self._book = book
        self.certificates = certificates
        self._note = note
        self._now_ns = now_ns
        self._doubt = doubt
        self._version = kept.gate_version
        self.applied_version = 0  # the newest that trading has committed
        self._kills = {kill.kill_id: kill for kill in kept.kills}
        self._proposals = {each.proposal_id: each for each in kept.proposals}
        self._breaks = BreakGates(kept.break_gates)
        # Nobody could be heard while nobody listened: every lease has its whole time again.
        now = time.monotonic()
        self._leases = {each.lease_id: each for each in kept.leases}
        self._silent_at = {each.lease_id: now + each.silence_max.ToNanoseconds() / 1e9 for each in kept.leases}
        self._turn = asyncio.Lock()
        self._wake = asyncio.Event()
        self._changed = asyncio.Event()
        self.changes = 0
        """Grows with every change of the state."""
        self._install()

    # What stands.

    def state(self) -> kill_switch_pb2.KillSwitchState:
        """Everything that is stopped."""
        for lease_id, at in self._silent_at.items():
            left_ns = int((at - time.monotonic()) * 1e9)
            self._leases[lease_id].expire_time.FromNanoseconds(self._now_ns() + left_ns)
        return kill_switch_pb2.KillSwitchState(
            gate_version=self._version,
            applied_version=self.applied_version,
            kills=self._kills.values(),
            proposals=self._proposals.values(),
            leases=self._leases.values(),
            break_gates=self._breaks.all(),
        )

    async def changed(self, seen: int) -> None:
        """Returns when `changes` is not `seen` any more."""
        while self.changes == seen:
            await self._changed.wait()

    def gate(self) -> gate_pb2.Gate:
        """The gate as trading is told it, with a desk's accounts written out."""
        return gate_of(self._version, self._kills.values(), self._breaks.all(), self._book.accounts.values())

    @property
    def kills(self) -> list[kill_switch_pb2.Kill]:
        """Engaged kills, oldest first."""
        return list(self._kills.values())

    # What changes it.

    def check(self, scope: gate_pb2.KillScope, mode: int) -> None:
        """Refuses what cannot be engaged.

        Raises:
            Failure: the scope's name is missing or none, or a venue is to be flattened.
        """
        check_scope(scope, mode, self._book.market.instruments)
        if sum(not kill.engaged_by.startswith(MARGIN) for kill in self._kills.values()) >= KILLS_MAX:
            raise errors.wrong_state("TOO_MANY", f"{KILLS_MAX} kills are engaged: engage one for the platform")

    async def engage(self, request_id: str, body: bytes, kill: kill_switch_pb2.Kill) -> kill_switch_pb2.Kill:
        """Engages a kill once; when it returns, nothing that it stops is authorised.

        Raises:
            RequestIdReused, OutcomeUnknown, StoreUnavailable, StaleWriter: as the store.
        """
        async with self._turn:
            with self._certain():
                content = await self._store.engage(self._term, request_id, body, kill, self._state_for_facts)
            kept = kill_switch_pb2.Kill.FromString(content)
            if kept.gate_version > self._version:
                self._version = kept.gate_version
                self._kills[kept.kill_id] = kept
                self._install()
                self.certificates.open(kept)
                self._note.warning(
                    "kill switch engaged",
                    scope=kept.scope.kind,
                    name=kept.scope.name,
                    mode=kept.mode,
                    by=kept.engaged_by,
                )
        return kept

    async def gate_breaks(self, said: break_gate_pb2.SetBreakGatesRequest, actor: str) -> int:
        """What breaks stop at a venue from now on; the version of the gate that has it. What is older changes nothing.

        Raises:
            OutcomeUnknown, StoreUnavailable, StaleWriter: as the store.
        """
        async with self._turn:
            if self._breaks.number(said.venue) < said.number:
                after = self._breaks.after(said)
                state = self._state_for_facts()
                state.ClearField("break_gates")
                state.break_gates.extend(after.all())
                with self._certain():
                    self._version = await self._store.gate_breaks(self._term, said, actor, state, self._now_ns())
                self._breaks = after
                self._install()
                self._note.warning("breaks gate markets", venue=said.venue, markets=len(said.gates), by=actor)
            return self._version

    def break_number(self, venue: str) -> int:
        """The number of what breaks stop at a venue; 0 for nothing said."""
        return self._breaks.number(venue)

    async def propose_resume(
        self, request_id: str, body: bytes, proposal: kill_switch_pb2.ResumeProposal
    ) -> kill_switch_pb2.ResumeProposal:
        """Keeps a proposal once.

        Raises:
            Failure: there is no such kill.
        """
        async with self._turn:
            known = await self._store.known(request_id, body)
            if known is not None:
                return kill_switch_pb2.ResumeProposal.FromString(known)
            if proposal.kill_id not in self._kills:
                raise errors.not_found("kill", proposal.kill_id, "it has been resumed, or never was: see GetState")
            content = await self._store.propose(self._term, request_id, body, proposal)
            kept = kill_switch_pb2.ResumeProposal.FromString(content)
            self._proposals[kept.proposal_id] = kept
            self._tell()
        return kept

    def resumable(self, proposal_id: str, approver: str) -> kill_switch_pb2.ResumeProposal:
        """A proposal that somebody may approve.

        Raises:
            Failure: it is not pending, or is his own.
        """
        proposal = self._proposals.get(proposal_id)
        if proposal is None:
            raise errors.not_found("proposal", proposal_id, "it was approved, or never made: see GetState")
        if proposal.proposed_by == approver:
            words = f"{approver} proposed it: somebody else has to approve"
            raise errors.wrong_state("SAME_PERSON", words)
        return proposal

    async def approve_resume(
        self, request_id: str, body: bytes, proposal_id: str, approver: str
    ) -> kill_switch_pb2.KillSwitchState:
        """Ends a kill once.

        Raises:
            Failure: as `resumable`.
        """
        async with self._turn:
            known = await self._store.known(request_id, body)
            if known is not None:
                return kill_switch_pb2.KillSwitchState.FromString(known)
            return await self._ended(request_id, body, self.resumable(proposal_id, approver), approver)

    async def lift(self, kill_id: str, actor: str) -> None:
        """Ends a kill that the platform engaged by itself; one that has ended already is left alone."""
        async with self._turn:
            if kill_id in self._kills:
                proposal = kill_switch_pb2.ResumeProposal(kill_id=kill_id, proposed_by=actor)
                await self._ended(f"lift:{kill_id}", kill_id.encode(), proposal, actor)

    async def _ended(
        self, request_id: str, body: bytes, proposal: kill_switch_pb2.ResumeProposal, actor: str
    ) -> kill_switch_pb2.KillSwitchState:
        def after() -> kill_switch_pb2.KillSwitchState:
            state = self._state_for_facts()
            _drop(state.kills, "kill_id", proposal.kill_id)
            _drop(state.proposals, "kill_id", proposal.kill_id)
            return state

        with self._certain():
            content = await self._store.resume(self._term, request_id, body, proposal, actor, after, self._now_ns())
        state = kill_switch_pb2.KillSwitchState.FromString(content)
        self._kills.pop(proposal.kill_id, None)
        for each in [p for p in self._proposals.values() if p.kill_id == proposal.kill_id]:
            del self._proposals[each.proposal_id]
        self._version = state.gate_version
        self._install()
        return state

    async def register(
        self, request_id: str, body: bytes, lease: dead_man_lease_pb2.DeadManLease
    ) -> dead_man_lease_pb2.DeadManLease:
        """Begins a dead-man lease once."""
        async with self._turn:
            if len(self._leases) >= LEASES_MAX:
                raise errors.wrong_state("TOO_MANY", f"{LEASES_MAX} leases are held: release some")
            content = await self._store.register(self._term, request_id, body, lease)
            kept = dead_man_lease_pb2.DeadManLease.FromString(content)
            if kept.lease_id == lease.lease_id or kept.lease_id in self._leases:
                self._leases[kept.lease_id] = kept
                self._hear(kept)
                self._tell()
        return kept

    def renew(self, lease_id: str, holder: str) -> dead_man_lease_pb2.DeadManLease:
        """A lease's holder is alive.

        Raises:
            Failure: there is no such lease, or it is another's.
        """
        lease = self._lease(lease_id, holder)
        self._hear(lease)
        return lease

    async def release(self, lease_id: str, holder: str) -> None:
        """A lease ends in order; one that has ended already is no error."""
        if lease_id not in self._leases:
            return
        self._lease(lease_id, holder)
        await self._store.release(self._term, lease_id)
        self._leases.pop(lease_id, None)
        self._silent_at.pop(lease_id, None)
        self._tell()

    def _lease(self, lease_id: str, holder: str) -> dead_man_lease_pb2.DeadManLease:
        lease = self._leases.get(lease_id)
        if lease is None:
            raise errors.not_found("lease", lease_id, "it ran out or was released: register anew")
        if lease.holder != holder:
            raise errors.wrong_state("ANOTHERS", f"{lease.holder} holds the lease: register one of your own")
        return lease

    def _hear(self, lease: dead_man_lease_pb2.DeadManLease) -> None:
        self._silent_at[lease.lease_id] = time.monotonic() + lease.silence_max.ToNanoseconds() / 1e9
        lease.expire_time.FromNanoseconds(self._now_ns() + lease.silence_max.ToNanoseconds())

    # What goes on by itself.

    async def run(self) -> None:
        """Tells trading of the gate, and engages what silence engages; until it is cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._apply())
            group.create_task(self._watch_leases())

    async def apply(self) -> None:
        """Tells trading of the gate once, if it has not the newest.

        Raises:
            CallError: trading does not answer.
        """
        version, told = self._version, self.gate()
        if self.applied_version >= version:
            return
        applied, working = await self._trading.apply_gate(told)
        if applied > self.applied_version:
            self.applied_version = applied
            await self.certificates.committed(applied, working, self.kills)
            self._tell()

    async def applied(self, version: int, timeout_s: float) -> bool:
        """Waits until trading has a version of the gate, for some time at most; whether it has."""
        deadline = time.monotonic() + timeout_s
        while self.applied_version < version:
            seen, left_s = self.changes, deadline - time.monotonic()
            if left_s <= 0:
                return False
            try:
                async with asyncio.timeout(left_s):
                    await self.changed(seen)
            except TimeoutError:
                return False
        return True

    async def _apply(self) -> None:
        said = ""
        while True:
            self._wake.clear()
            try:
                await self.apply()
            except CallError as error:
                if error.message != said:
                    self._note.warning("trading was not told of the gate; telling again", why=str(error))
                said = error.message
                await asyncio.sleep(RETRY_S)
                continue
            said = ""
            await self._wake.wait()

    async def _watch_leases(self) -> None:
        while True:
            for lease_id in list(self._silent_at):
                # Its holder may have been heard while another's silence was dealt with.
                if self._silent_at.get(lease_id, math.inf) <= time.monotonic():
                    await self._silence(lease_id)
            await asyncio.sleep(LEASE_CHECK_S)

    async def _silence(self, lease_id: str) -> None:
        # From here on a renewal comes too late. If no kill is committed, the next term finds the lease in the store.
        lease, _ = self._leases.pop(lease_id), self._silent_at.pop(lease_id)
        kill = kill_switch_pb2.Kill(
            kill_id=lease_id,
            certificate_id=lease_id,
            scope=lease.scope,
            mode=lease.mode,
            engaged_by=f"lease:{lease_id}",
            comment=f"{lease.holder} was silent for {lease.silence_max.ToNanoseconds() / 1e9:g} s",
        )
        kill.engage_time.FromNanoseconds(self._now_ns())
        # The lease's id makes it one kill, however often this is tried.
        await self.engage(f"silence:{lease_id}", lease_id.encode(), kill)
        await self._store.release(self._term, lease_id)
        self._tell()

    @contextlib.contextmanager
    def _certain(self) -> Iterator[None]:
        try:
            yield
        except OutcomeUnknown:
            self._doubt()
            raise

    def _install(self) -> None:
        stops = [*self._kills.values(), *self._breaks.all()]
        rules = [Rule(each.scope.kind, each.scope.name, Mode(each.mode)) for each in stops]
        self._authoriser.gate = Gate(self._version, rules)
        self.certificates.engaged = frozenset(self._kills)
        self._tell()

    def _tell(self) -> None:
        self.changes += 1
        self._wake.set()
        self._changed.set()
        self._changed = asyncio.Event()

    def _state_for_facts(self) -> kill_switch_pb2.KillSwitchState:
        state = self.state()
        state.ClearField("leases")
        return state


def _drop(messages: Any, name: str, value: str) -> None:
    for place in reversed(range(len(messages))):
        if getattr(messages[place], name) == value:
            del messages[place]
