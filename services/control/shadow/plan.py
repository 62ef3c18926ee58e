"""`[shadow]` of a specification: what is repeated, how often, and when it is enough."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Literal

from pydantic import Field

from crossrate.rpc.contract import MethodContract
from crossrate.rpc.mirror import Manner, manner_of
from services.control.releases.parts import Duration, Part


class ShadowPlan(Part):
    """How calls of the stable version are repeated by a candidate, and what their comparison has to show."""

    duration: Duration = 600.0
    """How long it lasts: at least where steps follow, in all where the release is a shadow alone."""
    calls: int = Field(default=200, ge=1, le=1_000_000)
    """Calls that have to be compared before it passes."""
    methods: tuple[str, ...] = Field(default=(), max_length=200)
    """Names of methods of the service, "GetInstrument"; empty for all that may be repeated."""
    percent: float = Field(default=100.0, ge=0.01, le=100)
    """Share of the calls."""
    calls_per_s_max: int = Field(default=50, ge=1, le=500)
    """Most calls a second that are repeated."""
    three_way: bool = True
    """Whether the stable version is asked again as well, so that what it answers differently itself does not count."""
    differing_max: float = Field(default=0.001, gt=0, lt=1)
    """By how much more often a field may differ than the stable version from itself, as a share of the calls."""
    drift_pips_max: float = Field(default=0.05, gt=0, le=1)
    """By how many pips prices may be off on average: each pair and field whose tolerance in the contract is in pips."""
    alpha: float = Field(default=0.05, gt=0, lt=1)
    """Chance that a candidate like the stable version ever fails, over all methods and fields."""
    replay: bool = False
    """Whether calls without side effects are repeated once more while fewer come than `calls_per_s_max`."""
    go_on: Literal["passed", "unless_failed"] = "passed"
    """What the steps wait for: until it has passed, or for nothing as long as no field fails."""


def chosen(plan: ShadowPlan, service: str, contracts: Mapping[str, MethodContract]) -> list[MethodContract]:
    """The methods whose calls are repeated."""
    return [
        contract
        for contract in contracts.values()
        if contract.workload == service
        and manner_of(contract) is not None
        and (not plan.methods or contract.name in plan.methods)
    ]


def repeatable(service: str, contracts: Mapping[str, MethodContract]) -> dict[str, MethodContract]:
    """The methods of a service whose calls can be repeated as they were, by wire path."""
    return {c.path: c for c in contracts.values() if c.workload == service and manner_of(c) is Manner.AS_IS}


def unfillable(services: Iterable[str], contracts: Mapping[str, MethodContract]) -> list[tuple[str, str]]:
    """Services without calls that an analysis could be filled up with, by field of the specification."""
    why = "has no method without side effects to fill up with: take it out"
    return [("analysis.fill_calls_per_s", f"{each} {why}") for each in services if not repeatable(each, contracts)]


def problems_of(names: Iterable[str], service: str, contracts: Mapping[str, MethodContract]) -> list[tuple[str, str]]:
    """What is wrong with the names of methods, by field of the specification."""
    known: Collection[MethodContract] = [c for c in contracts.values() if c.workload == service]
    found = []
    for place, name in enumerate(names):
        meant = [contract for contract in known if contract.name == name]
        if not meant:
            found.append((f"shadow.methods[{place}]", f"{service} has no method {name}: `crossrate routes` lists them"))
        elif all(manner_of(contract) is None for contract in meant):
            why = "has side effects that cannot be left out, or takes a stream of requests"
            found.append((f"shadow.methods[{place}]", f"{name} {why}, and is never repeated: take it out"))
    return found
