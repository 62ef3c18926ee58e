"""Answers of both versions compared, and judged by method and field."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from crossrate.compare.difference import Difference, Manner, shortened
from crossrate.compare.message import Comparator
from crossrate.compare.shadow import FieldReport, ShadowReport
from crossrate.evidence.verdict import Tolerance
from crossrate.rpc.contract import MethodContract
from crossrate.rpc.mirror import manner_of
from services.control.shadow.asking import Answer, instrument_of, kind_of
from services.control.shadow.drifting import Drift
from services.control.shadow.plan import ShadowPlan
from services.control.shadow.seen import (
    FAIL,
    FIELDS_MAX,
    NOT_ENOUGH_DATA,
    PASS,
    ExampleSeen,
    FieldSeen,
    MethodSeen,
    ShadowSeen,
)

NOISE_RELATIVE = 0.25
"""By what part more often a field may differ that stable answers differently itself. How far apart its values are is
tested beside it."""
ID_EXAMPLES_MAX = 1000
CODE = "status.code"
_CODES = {code.value[0]: code.name for code in grpc.StatusCode}


def code_of(answer: Answer) -> str:
    """How a call ended, in words: its code, and the reason where there is one."""
    if answer.failure is None:
        return "OK"
    name = _CODES.get(answer.failure.code, str(answer.failure.code))
    info = error_details_pb2.ErrorInfo()
    for detail in answer.failure.details:
        if detail.Unpack(info):
            return f"{name} {info.reason}"
    return name


def acted_on(failure: status_pb2.Status) -> status_pb2.Status:
    """What programs act on of a failure: reason, metadata, fields. Words are for people, and pauses are drawn."""
    made = status_pb2.Status(code=failure.code)
    for detail in failure.details:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        if detail.Unpack(info):
            info.metadata.pop("request_id", None)
            made.details.add().Pack(info)
        elif detail.Unpack(bad):
            for violation in bad.field_violations:
                violation.ClearField("description")
            made.details.add().Pack(bad)
    return made


def differences_of(
    comparator: Comparator, contract: MethodContract, instrument: str, stable: Answer, candidate: Answer
) -> list[Difference]:
    """Where two answers differ; nothing if they are equal within what the contract tolerates.

    Raises:
        ValueError: stable's answer is none of the method.
    """
    a, b = stable.failure, candidate.failure
    if a is None and b is None:
        kind = kind_of(contract, answer=True)
        return comparator.compare_bytes(kind, stable.body or b"", candidate.body or b"", instrument)
    if a is None or b is None or a.code != b.code:
        return [Difference(CODE, CODE, Manner.VALUE, code_of(stable), code_of(candidate), math.inf)]
    found = comparator.compare(acted_on(a), acted_on(b))
    return [replace(each, path=f"status.{each.path}", field=f"status.{each.field}") for each in found]


class MethodComparison:
    """What is found of one method.

    Args:
        alpha: chance that a candidate like stable ever fails in it.
    """

    def __init__(self, contract: MethodContract, comparator: Comparator, plan: ShadowPlan, alpha: float) -> None:
        self.contract, self._comparator = contract, comparator
        tolerance = Tolerance(plan.differing_max, NOISE_RELATIVE if plan.three_way else 0.0)
        self._report = ShadowReport(alpha / 2, tolerance, three_way=plan.three_way)
        self.drift = Drift(comparator, contract.output, plan.drift_pips_max, alpha / 2)
        self._ids: dict[tuple[str, str], str] = {}
        self._request = kind_of(contract, answer=False)
        self.replayed = self.skipped = 0

    @property
    def calls(self) -> int:
        """Calls, or messages of streams, that were compared."""
        return self._report.calls

    def instrument(self, request: bytes) -> str:
        """The pair that a request names, for tolerances in pips; "" if none."""
        try:
            return instrument_of(self._request.FromString(request))
        except DecodeError:
            return ""

    def take(self, request: bytes, request_id: str, stable: Answer, candidate: Answer, again: Answer | None) -> None:
        """Compares one call.

        Args:
            again: what stable answered when it was asked once more; None if it was not.
        """
        # A candidate that refuses or is late where stable answers differs from it.
        if not stable.settled or (again is not None and not again.settled):
            self.skipped += 1
            return
        instrument = self.instrument(request)
        try:
            found = differences_of(self._comparator, self.contract, instrument, stable, candidate)
            noise = None
            if again is not None:
                noise = differences_of(self._comparator, self.contract, instrument, stable, again)
            if self.drift and stable.body is not None and candidate.body is not None:
                kind = kind_of(self.contract, answer=True)
                self.drift.observe(kind.FromString(stable.body), kind.FromString(candidate.body), instrument)
        except (ValueError, DecodeError):
            self.skipped += 1
            return
        self.observe(request_id, found, noise)

    def observe(self, request_id: str, found: Sequence[Difference] | None, noise: Sequence[Difference] | None) -> None:
        """Takes what was found of one call, or of one message of a stream."""
        for each in found or ():
            if len(self._ids) < ID_EXAMPLES_MAX:
                self._ids.setdefault((each.field, each.path), request_id)
        self._report.observe(found, noise)

    def state(self) -> dict[str, Any]:
        """All that was seen, as JSON has it, for `restore`."""
        return {
            "report": self._report.state(),
            "drift": self.drift.state(),
            "ids": [[*key, request_id] for key, request_id in self._ids.items()],
            "counts": [self.replayed, self.skipped],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave, in a comparison with the same arguments.

        Raises:
            KeyError, TypeError, ValueError: it is no such state; this comparison must not be used then.
        """
        self._report.restore(state["report"])
        self.drift.restore(state["drift"])
        self._ids = {(str(field), str(path)): str(request_id) for field, path, request_id in state["ids"]}
        self.replayed, self.skipped = (int(count) for count in state["counts"])

    def seen(self) -> MethodSeen:
        """The same in figures."""
        fields = [*(self._field(report) for report in self._report.fields()), *self.drift.seen()]
        fields.sort(key=lambda each: each.outcome != FAIL)
        outcomes = {each.outcome for each in fields}
        outcome = FAIL if FAIL in outcomes else NOT_ENOUGH_DATA if NOT_ENOUGH_DATA in outcomes else PASS
        manner = manner_of(self.contract)
        assert manner is not None
        return MethodSeen(
            method=self.contract.path,
            manner=manner.name,
            outcome=outcome if self.calls else NOT_ENOUGH_DATA,
            calls=self.calls,
            replayed=self.replayed,
            skipped=self.skipped,
            fields=tuple(fields[:FIELDS_MAX]),
        )

    def _field(self, report: FieldReport) -> FieldSeen:
        largest = report.largest.relative if report.largest is not None else None
        noise = report.largest_noise if math.isfinite(report.largest_noise) else 0.0
        return FieldSeen(
            field=report.field,
            outcome=report.outcome.name,
            differing=report.differing,
            calls=report.calls,
            noise_differing=report.noise_differing,
            noise_calls=report.noise_calls,
            largest_relative=largest or 0.0,
            noise_largest_relative=noise,
            calls_needed=report.calls_needed or 0,
            examples=tuple(
                ExampleSeen(
                    each.path, self._ids.get((each.field, each.path), ""), each.stable, each.candidate, str(each)
                )
                for each in report.examples
            ),
        )


def name_of(method: str) -> str:
    """A method's own name in its path."""
    return method.rpartition("/")[2]


def _against(method: MethodSeen, field: FieldSeen) -> str:
    if field.examples and not field.differing:
        return f"{name_of(method.method)}: {field.field} is {field.examples[0].explanation}"
    told = f"{name_of(method.method)}: {field.field} differs in {field.differing} of {field.calls} calls"
    if field.noise_calls:
        told += f", of stable with itself in {field.noise_differing} of {field.noise_calls}"
    if field.examples:
        example = field.examples[0]
        told += shortened(f"; {example.explanation}") + f" (call {example.request_id})"
    return told


def summed(methods: Iterable[MethodSeen], calls_min: int, dropped: int, trouble: str) -> ShadowSeen:
    """What all methods together say.

    Args:
        calls_min: calls that have to be compared before it passes.
        dropped: calls that were left out.
        trouble: why calls cannot be repeated now; empty if they can.
    """
    order = (FAIL, NOT_ENOUGH_DATA, PASS)
    told = sorted(methods, key=lambda each: (order.index(each.outcome), each.method))
    calls = sum(each.calls for each in told)
    failed = [(m, f) for m in told for f in m.fields if f.outcome == FAIL]
    open_fields = [(m, f) for m in told for f in m.fields if f.outcome == NOT_ENOUGH_DATA]
    needed = max([calls_min - calls, *(f.calls_needed for _, f in open_fields)], default=0)
    needed = max(0, needed)
    if failed:
        more = f", and {len(failed) - 1} more fields differ" if len(failed) > 1 else ""
        return ShadowSeen(FAIL, _against(*failed[0]) + more, calls, 0, dropped, tuple(told))
    if calls < calls_min or open_fields:
        words = f"not enough data: about {needed} more calls needed" if needed else "not enough data"
        if open_fields:
            words += f"; {_against(*open_fields[0])}"
        if trouble:
            words += f"; {trouble}"
        return ShadowSeen(NOT_ENOUGH_DATA, words, calls, needed, dropped, tuple(told))
    words = f"no field differs by more than the stable version from itself in {calls} calls of {len(told)} methods"
    return ShadowSeen(PASS, words, calls, 0, dropped, tuple(told))
