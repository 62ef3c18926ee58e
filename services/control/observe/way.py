"""Records of one request id, from many instances, as the way of a call: who called whom in which, and where the time
went."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from crossrate.api.control.v1 import observability_pb2 as pb
from crossrate.api.instance.v1 import call_pb2

SLACK_NS = 2_000_000
"""By how much clocks of two readings may be apart: an instance reckons when a call began from a clock that it reads
when it is asked."""
ENTRIES = ("edge", "local")
"""Callers that are not instances: their calls begin a way."""


@dataclass(slots=True)
class _Step:
    call: call_pb2.CallRecord
    begin_ns: int
    end_ns: int
    parent: int = -1
    attempt: int = 0
    transit_ns: int | None = None
    taken: list[int] = field(default_factory=list)
    """Steps that were made in it and belong to one of its outgoing calls."""


def hops(records: Iterable[call_pb2.CallRecord]) -> list[pb.CallHop]:
    """The steps in order of arrival, each after the one that it was made in."""
    steps = [_step(record) for record in records]
    steps.sort(key=lambda step: (step.begin_ns, -step.end_ns))
    for place, step in enumerate(steps):
        step.parent = _parent(steps, place)
    for place, step in enumerate(steps):
        _match(step, [s for s in steps if s.parent == place])
    return [_hop(step) for step in steps]


def _step(record: call_pb2.CallRecord) -> _Step:
    begin_ns = record.begin_time.ToNanoseconds()
    return _Step(record, begin_ns, begin_ns + record.elapsed.ToNanoseconds())


def _parent(steps: Sequence[_Step], place: int) -> int:
    """Which of the steps before it a step was made in: by its place in the trace, else by who called and when; -1 for
    none that is kept."""
    own = steps[place].call
    if own.caller in ENTRIES:
        return -1
    before = [n for n in range(place) if steps[n].call.service == own.caller]
    if own.parent_span_id:
        for n in range(len(steps)):
            if n != place and steps[n].call.span_id == own.parent_span_id:
                return n if n < place else -1
    around = [n for n in before if steps[place].begin_ns <= steps[n].end_ns + SLACK_NS]
    return around[-1] if around else -1


def _match(parent: _Step, made: list[_Step]) -> None:
    """Gives the steps made in one to the calls out that it tells of: in order, each to the first one of its method that
    was under way. A call out of several attempts has several."""
    left = list(made)
    for out in parent.call.outgoing:
        begin_ns = parent.begin_ns + out.begin_offset.ToNanoseconds() - SLACK_NS
        end_ns = begin_ns + out.elapsed.ToNanoseconds() + 2 * SLACK_NS
        found = [s for s in left if s.call.method == out.method and begin_ns <= s.begin_ns <= end_ns]
        found = found[: max(1, out.attempts)]
        for number, step in enumerate(found, 1):
            left.remove(step)
            step.attempt = number if len(found) > 1 or out.attempts > 1 else 0
        if len(found) == 1 and out.attempts == 1:
            found[0].transit_ns = max(0, out.elapsed.ToNanoseconds() - found[0].call.elapsed.ToNanoseconds())


def _upstream_ns(call: call_pb2.CallRecord) -> int:
    """For how long any of its calls was under way."""
    total, reached = 0, 0
    end_ns = call.elapsed.ToNanoseconds()
    for begin, over in sorted(
        (o.begin_offset.ToNanoseconds(), o.begin_offset.ToNanoseconds() + o.elapsed.ToNanoseconds())
        for o in call.outgoing
    ):
        begin, over = max(begin, reached), min(over, end_ns)
        if over > begin:
            total += over - begin
            reached = over
    return total


def _hop(step: _Step) -> pb.CallHop:
    hop = pb.CallHop(call=step.call, parent=step.parent, attempt=step.attempt)
    upstream_ns = _upstream_ns(step.call)
    hop.upstream.FromNanoseconds(upstream_ns)
    if step.call.HasField("waited"):
        spent_ns = step.call.elapsed.ToNanoseconds() - step.call.waited.ToNanoseconds() - upstream_ns
        hop.handler.FromNanoseconds(max(0, spent_ns))
    if step.transit_ns is not None:
        hop.transit.FromNanoseconds(step.transit_ns)
    return hop


def conclusion(found: Sequence[pb.CallHop], answers: Sequence[pb.ProxyAnswer]) -> str:
    """What became of a call, in a sentence or two."""
    roots = [hop for hop in found if hop.parent < 0]
    if not roots:
        if not found:
            last = answers[-1]
            return f"No instance answered it. {_where(last)}: {last.explanation}."
        roots = [found[0]]
    sentences = [_sentence(root, found) for root in roots[-1:]]
    if len(roots) > 1:
        sentences.insert(0, f"{len(roots)} calls came in under this id; this is of the last.")
    failed = [a for a in answers if not a.details.startswith("via_upstream")]
    if failed:
        sentences.append(f"{_where(failed[-1])}: {failed[-1].explanation}.")
    return " ".join(sentences)


def _where(answer: pb.ProxyAnswer) -> str:
    if answer.listener == "edge":
        return "The edge"
    way, _, service = answer.listener.partition("|")
    return f"The proxy {'in front of' if way == 'in' else 'of'} {service}"


def _sentence(root: pb.CallHop, found: Sequence[pb.CallHop]) -> str:
    call = root.call
    who = f"{call.instance}{' (candidate)' if call.candidate else ''}"
    if not call.code:
        return f"{who} is still serving it."
    took = f"after {call.elapsed.ToNanoseconds() / 1e6:.2f} ms"
    if call.code == "OK":
        return f"{who} answered it {took}."
    refused = next((d for d in call.decisions if not d.passed), None)
    reason = f" ({call.reason})" if call.reason else ""
    if refused is not None:
        return f"{who} refused it {took} with {call.code}{reason}, by {refused.check}: {refused.explanation}."
    place = found.index(root)
    below = [h for h in found if h.parent == place and h.call.code not in ("", "OK")]
    cause = f" {below[-1].call.instance} had answered it {below[-1].call.code}." if below else ""
    words = f": {call.message}" if call.message else ""
    return f"{who} answered {call.code}{reason} {took}{words}.{cause}"
