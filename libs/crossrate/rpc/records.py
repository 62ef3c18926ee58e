"""A call that is kept, in words: what it was, how long it took, who let it in or refused it, and by which rule."""

from __future__ import annotations

import time
from collections.abc import Iterator

from crossrate.api.instance.v1 import call_pb2
from crossrate.rpc.call import Call
from crossrate.rpc.caller import EDGE, LOCAL
from crossrate.rpc.errors import ErrorReason
from crossrate.rpc.grants import NEVER, Client
from crossrate.rpc.metrics import CODE_NAMES
from crossrate.rpc.tracing import parse_traceparent
from crossrate.runtime.process import Runtime

MESSAGE_CHARS_MAX = 500

_REFUSED_BY = {
    ErrorReason.NO_IDENTITY.name: "identity",
    ErrorReason.TOKEN_REFUSED.name: "identity",
    ErrorReason.SESSION_REVOKED.name: "identity",
    ErrorReason.STEP_UP_REQUIRED.name: "second factor",
    ErrorReason.DEADLINE_TOO_SHORT.name: "deadline",
    ErrorReason.TOO_MANY_REQUESTS.name: "room",
    ErrorReason.INVALID_REQUEST.name: "rules",
}
"""Which check a reason belongs to, of calls that never reached their handler."""
_ORDER = ("release", "identity", "caller", "roles", "second factor", "deadline", "room", "grants", "rules")
"""In which order a call is looked at; see `crossrate.rpc.admission` and `crossrate.rpc.chain`."""

Decision = tuple[str, str]
"""What was looked at, and by which rule."""


class Records:
    """Tells of calls.

    Args:
        runtime: of the instance that answered them.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._backend = runtime.settings.backend or runtime.service

    def record(self, call: Call) -> call_pb2.CallRecord:
        """A call as whoever asks for it sees it."""
        runtime, now = self._runtime, time.monotonic()
        ended = call.over and hasattr(call, "code")
        record = call_pb2.CallRecord(
            request_id=call.request_id,
            service=runtime.service,
            instance=runtime.instance,
            version=runtime.version,
            candidate=self._backend != runtime.service,
            method=call.name,
            caller=call.caller,
            principal=call.principal,
            code=CODE_NAMES[call.code] if ended else "",
            received_count=call.received,
            sent_count=call.sent,
            release=getattr(call, "release", ("", ""))[0],
        )
        if (place := call.placed) is not None:
            record.trace_id, record.span_id = place.trace_id, place.span_id
        if (parent := parse_traceparent(call.parent_traceparent)) is not None:
            record.trace_id, record.parent_span_id = parent.trace_id, parent.span_id
        record.begin_time.FromNanoseconds(time.time_ns() - round((now - call.begun) * 1e9))
        record.elapsed.FromNanoseconds(_ns(call.elapsed_s if ended else now - call.begun))
        record.deadline.FromNanoseconds(_ns(call.deadline - call.begun))
        if call.reached:
            record.waited.FromNanoseconds(_ns(call.handled - call.begun))
        reason, message = getattr(call, "failure", ("", ""))
        record.reason, record.message = reason, message[:MESSAGE_CHARS_MAX]
        for check, passed, explanation in self._decisions(call, reason, message):
            record.decisions.add(check=check, passed=passed, explanation=explanation)
        for method, begun, elapsed_s, code, attempts in getattr(call, "outgoing", None) or ():
            out = record.outgoing.add(method=method, code=code, attempts=attempts)
            out.begin_offset.FromNanoseconds(_ns(begun - call.begun))
            out.elapsed.FromNanoseconds(_ns(elapsed_s))
        return record

    def _decisions(self, call: Call, reason: str, message: str) -> Iterator[tuple[str, bool, str]]:
        """What was looked at, in order, up to what refused it."""
        refused = "" if call.reached else _refused_by(call, reason)
        for check, explanation in self._checks(call):
            if check == refused:
                yield check, False, message
                return
            if refused and _ORDER.index(check) > _ORDER.index(refused):
                break
            yield check, True, explanation
        if refused:
            yield refused, False, message

    def _checks(self, call: Call) -> Iterator[Decision]:
        contract, client = call.method, call.client
        runtime = self._runtime
        if rule := getattr(call, "release", ("", ""))[1]:
            yield "release", _chosen(rule, candidate=self._backend != runtime.service)
        if call.caller == LOCAL:
            yield "identity", "over the instance's own socket, which the machine's owner alone can open"
            yield "caller", "the local operator may call everything"
        elif call.caller:
            yield "identity", f"certificate {runtime.topology.identity(call.caller)}"
            yield "caller", self._callers(call)
        if call.caller == EDGE and client is not None:
            shared = ", ".join(sorted(client.roles & contract.roles))
            held, wanted = ", ".join(sorted(client.roles)) or "none", ", ".join(sorted(contract.roles))
            yield "roles", f"{client} by {_proof(client)} has {shared or held}; the contract lets in {wanted}"
            if contract.step_up:
                spared = contract.step_up_spares
                yield "second factor", _factor(client) + (f"; not asked for with {spared}" if spared else "")
        allowed_s = call.deadline - call.begun
        yield "deadline", f"{allowed_s:.3f} s were left of at most {contract.deadline_s:g} s by the contract"
        if contract.reserved_lane:
            yield "room", "the lane kept free for it"
        named = (
            ("account", contract.account_fields, client.accounts if client else ()),
            ("instrument", contract.instrument_fields, client.instruments if client else ()),
            ("desk", contract.desk_fields, (client.desk,) if client and client.desk else None),
        )
        if client is not None and call.caller == EDGE:
            for kind, fields, granted in named:
                if fields:
                    shown = "any" if granted is None else ", ".join(granted) or "none"
                    yield "grants", f"{kind} named in {', '.join(fields)}: granted {shown}"

    def _callers(self, call: Call) -> str:
        contract = call.method
        if call.caller == EDGE:
            return f"the contract of {contract.name} has roles: clients may call it"
        return f"the contract names {call.caller}, and services.{call.caller}.calls has {contract.workload}"


def _chosen(rule: str, *, candidate: bool) -> str:
    """Which rule of a release chose the version, as the proxy in front of the instance wrote it down."""
    side, _, words = rule.partition("; ")
    spared = "" if (side == "candidate") is candidate else "; none of those answered it, and this instance did"
    return f"sent to {'the candidate' if side == 'candidate' else 'stable'} by {words}{spared}"


def _refused_by(call: Call, reason: str) -> str:
    """The check that refused a call; "" for one that failed for another reason or was let in."""
    if reason != ErrorReason.CALLER_NOT_ALLOWED.name:
        return _REFUSED_BY.get(reason, "")
    if call.client is None:
        # Of a method that clients may call, a certificate that is no client's; else whoever it was may not.
        return "identity" if call.caller == EDGE and call.method.roles else "caller"
    return "roles" if not call.client.roles & call.method.roles else "grants"


def _proof(client: Client) -> str:
    if client.session or client.subject:
        return "a token"
    return "a certificate" if client.name else "nothing"


def _factor(client: Client) -> str:
    if client.factor_time == NEVER:
        return "its certificate counts as one"
    return f"proved {max(0.0, time.time() - client.factor_time):.0f} s ago"


def _ns(seconds: float) -> int:
    return max(0, round(seconds * 1e9))
