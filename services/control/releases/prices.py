"""Prices of both versions to the same question, for the tests of a release: drifts that no single answer shows.

Every instance can be watched (`crossrate tap`); what is taken here are the answers of one method by candidates and by
stable instances. Two answers to the same request are a pair if they are of the same moment by a field of theirs, or,
where a rule names none, if stable's is the newest before the candidate's: the market moves between the two as often up
as down, and only a bias of the candidate moves the mean. Each answer is in one pair.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from google.protobuf import json_format, message_factory
from google.protobuf.message import Message

from crossrate.api.instance.v1 import instance_service_pb2 as instance_pb2
from crossrate.compare.drift import readings
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.rpc.contract import MethodContract
from services.control.releases.parts import Business

PAIRED_S_MAX = 2.0
"""Age of stable's answer, in seconds, beyond which it is none to the same question any more."""
OPEN_MAX = 2_000
"""Requests that wait for their answer, and questions that are remembered; the oldest are forgotten."""
MESSAGES_PER_S_MAX = 400
"""What is taken of the stable version; beyond that it is left out, whatever it says."""
DRIFTS_MAX = 10_000


@dataclass(frozen=True, slots=True)
class Drift:
    """How far the candidate was from stable by a rule, in pips."""

    rule: str
    pair: str
    pips: float


class Prices:
    """Pairs answers of one method.

    Args:
        rules: those of this method.
        is_candidate: whether an instance is a candidate's, by its name.
    """

    def __init__(
        self,
        method: MethodContract,
        rules: Sequence[Business],
        is_candidate: Callable[[str], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules, self._is_candidate, self._clock = rules, is_candidate, clock
        self._asked, self._answered = (message_factory.GetMessageClass(kind) for kind in (method.input, method.output))
        self._comparator = Comparator(pip_of)
        self._questions: dict[tuple[str, str], str] = {}
        self._waiting: dict[tuple[int, str, Any], tuple[float, bool, Message]] = {}
        self._drifts: list[Drift] = []
        self.unpaired = 0
        """Answers of the candidate to which stable had none."""

    def take(self, passed: instance_pb2.TapMessagesResponse) -> None:
        """Takes what an instance was asked or has answered."""
        key = passed.instance, passed.request_id
        if passed.direction == instance_pb2.TAP_DIRECTION_REQUEST:
            _bound(self._questions)
            self._questions[key] = passed.body
        elif passed.direction == instance_pb2.TAP_DIRECTION_RESPONSE:
            question = self._questions.pop(key, None)
            answer = None if question is None else _read(self._answered, passed.body)
            if question is not None and answer is not None:
                self._pair(question, answer, self._is_candidate(passed.instance))

    def _pair(self, question: str, answer: Message, candidate: bool) -> None:
        for place, rule in enumerate(self._rules):
            key = place, question, value_at(answer, rule.same) if rule.same else None
            answered, of_candidate, other = self._waiting.pop(key, (-math.inf, candidate, answer))
            if of_candidate is candidate or self._clock() - answered > PAIRED_S_MAX:
                # Without a field that says so, only what stable said before can be compared.
                if rule.same or not candidate:
                    _bound(self._waiting)
                    self._waiting[key] = self._clock(), candidate, answer
                else:
                    self.unpaired += 1
                continue
            stable, later = (other, answer) if candidate else (answer, other)
            self._tell(rule, question, stable, later)

    def _tell(self, rule: Business, question: str, stable: Message, candidate: Message) -> None:
        asked = _read(self._asked, question)
        instrument = _instrument(asked) if asked is not None else ""
        for pair, pips in differences(self._comparator, rule, stable, candidate, instrument):
            if len(self._drifts) < DRIFTS_MAX:
                self._drifts.append(Drift(rule.name, pair, pips))

    def drifts(self) -> list[Drift]:
        """What was found since this was asked for last."""
        found, self._drifts = self._drifts, []
        return found

    async def read(self, messages: Any) -> None:
        """Takes what passes, until it is cancelled: all of the candidate, and of stable as much a second as it may.

        What is too much is left out at once. If it waited, stable's answers would come later and later, and none would
        be of the same moment as the candidate's.
        """
        taken, since = 0, self._clock()
        async for passed in messages:
            if not self._is_candidate(passed.instance):
                if self._clock() - since >= 1:
                    taken, since = 0, self._clock()
                taken += 1
                if taken > MESSAGES_PER_S_MAX:
                    continue
            self.take(passed)


def differences(
    comparator: Comparator, rule: Business, stable: Message, candidate: Message, instrument: str = ""
) -> list[tuple[str, float]]:
    """Pair and pips of every number that a rule compares in two answers.

    Raises:
        ValueError: the answers have no such field, or it is no number.
    """
    if rule.metric == "spread":
        bids, asks = (readings(comparator, stable, candidate, f"{rule.field}.{s}", instrument) for s in ("bid", "ask"))
        both = [(b, a) for b, a in zip(bids, asks, strict=True) if a.pips is not None and b.pips is not None]
        found = [(a.instrument, a.pips - b.pips) for b, a in both]
    else:
        each = readings(comparator, stable, candidate, rule.field, instrument)
        found = [(reading.instrument, reading.pips) for reading in each if reading.pips is not None]
    return [(pair, pips) for pair, pips in found if math.isfinite(pips)]


def value_at(message: Message, path: str) -> Any:
    """The value of a field of fields that are there once.

    Raises:
        ValueError: there is no such field, or it is no single value.
    """
    value: Any = message
    for name in path.split("."):
        field = value.DESCRIPTOR.fields_by_name.get(name) if isinstance(value, Message) else None
        if field is None or field.is_repeated:
            raise ValueError(f"{message.DESCRIPTOR.full_name} has no single value at {path!r}")
        value = getattr(value, name)
    if isinstance(value, Message):
        raise ValueError(f"{path} is a message: name a field of it")
    return value


def _instrument(asked: Message) -> str:
    """The pair that a request names, as most do: `instrument`, or `base` and `counter`."""
    names = asked.DESCRIPTOR.fields_by_name
    if "instrument" in names and isinstance(asked.instrument, str):
        return asked.instrument
    return f"{asked.base}/{asked.counter}" if "base" in names and "counter" in names else ""


def _read(kind: type[Message], body: str) -> Message | None:
    try:
        return json_format.Parse(body, kind(), ignore_unknown_fields=True)
    except json_format.ParseError:
        # Too long to be shown whole.
        return None


def _bound(kept: dict) -> None:
    if len(kept) >= OPEN_MAX:
        del kept[next(iter(kept))]
