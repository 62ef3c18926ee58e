"""What a venue's breaks gate, told to risk until risk has it: the instrument at the venue, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from crossrate.api.broker.v1 import break_pb2 as pb
from crossrate.api.risk.v1 import break_gate_pb2
from crossrate.rpc.call_error import CallError
from services.broker.domain.routing import Rule, nowhere_else
from services.broker.engine.desk import Desk
from services.broker.reconciling.others import Risk, market
from services.broker.store.breaks import Breaks, Market

MARKETS_MAX = 50
"""A gate for each and one for orders that name no venue: as many as a call takes."""


class Gates:
    """See the module."""

    def __init__(self, desk: Desk, rules: Sequence[Rule], breaks: Breaks, risk: Risk, *, gates: bool) -> None:
        self._desk, self._rules, self._breaks, self._risk, self._on = desk, rules, breaks, risk, gates
        self._told: bytes | None = None

    async def tell(self, run: pb.ReconciliationRun) -> None:
        """Says what is gated now, if risk has not heard it.

        Raises:
            StoreError: the database is away.
        """
        venue = self._desk.venue
        said = wanted(venue, await self._breaks.markets() if self._on else [], self._rules)
        instruments = sorted({each.scope.name.partition("@")[0] for each in said.gates})
        content = said.SerializeToString(deterministic=True)
        if content == self._told:
            return
        number, told = await self._breaks.gate(self._desk.lease, venue, content, instruments)
        if told:
            self._told = content
            return
        said.number = number
        try:
            await self._risk.gate(said)
        except CallError as error:
            run.missing.append(f"risk was not told what breaks gate: {error.message}"[:500])
            return
        await self._breaks.gate_told(self._desk.lease, venue, number)
        self._told = content


def wanted(venue: str, markets: Sequence[Market], rules: Sequence[Rule]) -> break_gate_pb2.SetBreakGatesRequest:
    """What is to be stopped at a venue: its gated instruments, and there orders that name no venue where no route would
    take all of them elsewhere."""
    said = break_gate_pb2.SetBreakGatesRequest(venue=venue)
    for each in [each for each in markets if each.venue == venue][:MARKETS_MAX]:
        said.gates.append(market(each.instrument, venue, each.mode, each.break_ids))
        gated = frozenset(other.venue for other in markets if other.instrument == each.instrument)
        if nowhere_else(rules, gated, each.instrument):
            said.gates.append(market(each.instrument, "", each.mode, each.break_ids))
    return said
