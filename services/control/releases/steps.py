"""Steps of a release: what each strategy asks of them."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag

from services.control.releases.parts import Duration, Hours, Part
from services.control.releases.rolling import INSTANCES_MAX
from services.control.split import WEIGHT_MAX


def _kind_of_gate(given: Any) -> str:
    return "hours" if isinstance(given, dict | Hours) else "word"


class Step(Part):
    """A share of the calls for a time: a weight, or of a rolling release so many new instances."""

    weight_percent: float = Field(default=0.0, ge=0, le=100)
    instances: int = Field(default=0, ge=0, le=INSTANCES_MAX)
    """How many of the service's instances are new."""
    duration: Duration
    """How long it lasts at least."""
    gate: Annotated[
        Annotated[Literal["none", "manual"], Tag("word")] | Annotated[Hours, Tag("hours")], Discriminator(_kind_of_gate)
    ] = "none"
    """What it takes to go on after that: nothing, somebody's `crossrate release promote`, or some hours, at which a
    word is not needed; it goes on at any."""

    @property
    def weight(self) -> int:
        """The share in hundredths of a percent."""
        return round(self.weight_percent * WEIGHT_MAX / 100)

    def may_end(self, now: dt.datetime) -> bool:
        """Whether its gate is open."""
        return self.gate.is_open(now) if isinstance(self.gate, Hours) else self.gate == "none"


def too_small(steps: Sequence[Step]) -> list[tuple[str, str]]:
    """Which shares are not zero and would be."""
    why = "is less than the smallest share, 0.01: give that, or 0"
    lost = (place for place, step in enumerate(steps) if step.weight_percent and not step.weight)
    return [(f"steps[{place}].weight_percent", why) for place in lost]


def wrong_with(strategy: str, steps: Sequence[Step]) -> str:
    """Which steps a strategy cannot take, and what to do; empty if it takes them all."""
    if strategy == "rolling":
        return _as_instances(steps)
    weights = [step.weight_percent for step in steps]
    if strategy == "canary" and not steps:
        return "steps: a canary needs at least one [[steps]] with weight_percent and duration"
    if strategy == "blue_green" and steps:
        return "steps: blue_green moves all calls at once: take them out, and give hold instead"
    if strategy == "shadow" and steps:
        return "steps: a shadow gets no calls of its own: take them out, and give [shadow] instead"
    if strategy == "ab" and len(steps) != 1:
        return "steps: ab compares at one weight: give exactly one step"
    for place, step in enumerate(steps):
        if step.instances:
            return f'steps[{place}].instances: is for strategy = "rolling": give weight_percent'
        if "weight_percent" not in step.model_fields_set:
            return f"steps[{place}].weight_percent: is missing: give it"
    if any(b < a for a, b in itertools.pairwise(weights)):
        return "steps: weights may only grow: put them in order"
    return ""


def _as_instances(steps: Sequence[Step]) -> str:
    for place, step in enumerate(steps):
        if step.weight_percent:
            return (
                f"steps[{place}].weight_percent: rolling gives each instance its share: "
                "take it out, and give instances, how many are new by then"
            )
        if not step.instances:
            return f"steps[{place}].instances: is missing: give how many instances are new by then"
    if any(b.instances <= a.instances for a, b in itertools.pairwise(steps)):
        return "steps: instances may only grow: put them in order"
    return ""
