"""The gate as trading is told it."""

from __future__ import annotations

from collections.abc import Iterable

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import break_gate_pb2, kill_switch_pb2
from services.risk.domain.pretrade.accounts import Account

MARGIN = "margin:"
"""Begins who engaged a kill, and its request, for one that a margin close-out engages and ends by itself."""


def gate_of(
    version: int,
    kills: Iterable[kill_switch_pb2.Kill],
    breaks: Iterable[break_gate_pb2.BreakGate],
    accounts: Iterable[Account],
) -> gate_pb2.Gate:
    """A gate with the accounts of desks written out; of all close-outs one rule, since in a crash there may be more
    than a gate has room for rules."""
    gate, desks, closed_out = gate_pb2.Gate(version=version), list(accounts), []
    for kill in kills:
        if kill.engaged_by.startswith(MARGIN):
            closed_out.append(kill.scope.name)
            continue
        rule = gate.rules.add(scope=kill.scope, mode=kill.mode)
        if kill.scope.kind == "desk":
            rule.accounts.extend(sorted(each.name for each in desks if each.desk == kill.scope.name))
    if closed_out:
        scope = gate_pb2.KillScope(kind="desk", name="margin close-outs")
        gate.rules.add(scope=scope, mode=gate_pb2.KILL_MODE_REDUCE_ONLY, accounts=sorted(closed_out))
    gate.rules.extend(gate_pb2.GateRule(scope=each.scope, mode=each.mode) for each in breaks)
    return gate
