"""Prices that are off on average, though no single one is by more than the contract tolerates.

Numbers with a tolerance in pips are followed by pair: 0.2 pip of a quote that may differ by half a pip is no difference
in any call, and a drift over many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message

from crossrate.api.policy.v1 import policy_pb2
from crossrate.compare.drift import readings
from crossrate.compare.message import Comparator
from crossrate.compare.rules import FieldRule, Kind, Shape
from crossrate.evidence.means import MeanTest
from services.control.shadow.seen import FAIL, NOT_ENOUGH_DATA, ExampleSeen, FieldSeen

BOUND_PIPS = 2.0
"""Larger differences count as this much: they are differences by themselves."""
PAIRS_MAX = 200
"""Fields and pairs that are followed."""
DEPTH_MAX = 6


def fields_in_pips(comparator: Comparator, message: Descriptor) -> list[str]:
    """Paths of the numbers of an answer whose tolerance is in pips."""
    return list(_fields(comparator, message, "", ()))


def _fields(of: Comparator, message: Descriptor, before: str, above: tuple[str, ...]) -> Iterator[str]:
    if message.full_name in above or len(above) >= DEPTH_MAX:
        return
    rules = of.rules(message, None)
    every: list[FieldRule] = [*rules.fields, *(f for oneof in rules.oneofs for f in oneof.fields.values())]
    for rule in every:
        if rule.shape is Shape.MAP or rule.secret:
            continue
        path = f"{before}{rule.name}{'[]' if rule.shape is Shape.REPEATED else ''}"
        if rule.inner is not None:
            if rule.inner.full_name.startswith("crossrate."):
                yield from _fields(of, rule.inner, f"{path}.", (*above, message.full_name))
        elif rule.kind is not Kind.OTHER and rule.tolerant and rule.bound.unit == policy_pb2.TOLERANCE_UNIT_PIPS:
            yield path


@dataclass(slots=True)
class _Followed:
    test: MeanTest
    share: float


class Drift:
    """Follows the numbers in pips of one method.

    Args:
        tolerance: pips by which they may be off on average.
        alpha: chance that a candidate like stable is ever said to be.
    """

    def __init__(self, comparator: Comparator, message: Descriptor, tolerance: float, alpha: float) -> None:
        self._comparator, self._tolerance, self._alpha = comparator, tolerance, alpha
        self._fields = fields_in_pips(comparator, message)
        self._followed: dict[tuple[str, str], _Followed] = {}

    def __bool__(self) -> bool:
        """Whether there is anything to follow."""
        return bool(self._fields)

    def observe(self, stable: Message, candidate: Message, instrument: str) -> None:
        """Takes two answers to the same question."""
        for name in self._fields:
            off: dict[str, list[float]] = {}
            for reading in readings(self._comparator, stable, candidate, name, instrument):
                if reading.pips is not None and reading.pips == reading.pips:
                    off.setdefault(reading.instrument, []).append(reading.pips)
            for pair, values in off.items():
                followed = self._followed.get((name, pair))
                if followed is None:
                    if len(self._followed) >= PAIRS_MAX:
                        continue
                    followed = self._follow(name, pair)
                # Prices of one answer move together: they are one observation.
                followed.test.observe([sum(values) / len(values)])

    def state(self) -> list[list[Any]]:
        """All that was seen, as JSON has it, for `restore`."""
        return [[*key, followed.test.state()] for key, followed in self._followed.items()]

    def restore(self, state: Iterable[Any]) -> None:
        """Goes on from what `state` gave; fields and pairs keep their order.

        Raises:
            KeyError, TypeError, ValueError: it is no such state.
        """
        for name, pair, kept in state:
            self._follow(str(name), str(pair)).test.restore(kept)

    def _follow(self, name: str, pair: str) -> _Followed:
        k = len(self._followed) + 1
        made = self._followed[name, pair] = _Followed(MeanTest(self._tolerance, BOUND_PIPS), 1 / (k * (k + 1)))
        return made

    def seen(self) -> list[FieldSeen]:
        """Fields and pairs that drift, or may."""
        found = []
        for (name, pair), followed in self._followed.items():
            evidence = followed.test.evidence()
            estimate = evidence.estimate or 0.0
            level = self._alpha * followed.share
            failed = evidence.p_fail <= level
            if not failed and abs(estimate) <= self._tolerance:
                continue
            told = (
                f"off by {estimate:+.3g} pip on average of {followed.test.n} calls, by {evidence.lower:+.3g} to "
                f"{evidence.upper:+.3g} with 95 %, where {self._tolerance:g} is tolerated"
            )
            needed = 0 if failed else followed.test.calls_needed(level, self._alpha) or 0
            found.append(
                FieldSeen(
                    field=f"{name} of {pair}",
                    outcome=FAIL if failed else NOT_ENOUGH_DATA,
                    differing=0,
                    calls=followed.test.n,
                    noise_differing=0,
                    noise_calls=0,
                    largest_relative=0.0,
                    noise_largest_relative=0.0,
                    calls_needed=needed,
                    examples=(ExampleSeen(f"{name} of {pair}", "", "", "", told),),
                )
            )
        return found
