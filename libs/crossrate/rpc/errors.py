"""Typed errors and the one table that turns a reason into a gRPC code.

A handler raises `Failure`, best by one of the constructors below; the server turns it into a `google.rpc.Status` with
ErrorInfo (domain "crossrate", the reason, metadata that a person can act on), BadRequest for fields, RetryInfo where
another try makes sense and RequestInfo. Everything else that a handler raises is a fault of the server: it is logged
with its traceback, counted and answered as INTERNAL without its words.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2, status_pb2

from crossrate.api.common.v1 import error_pb2

DOMAIN = "crossrate"
STATUS_BYTES_MAX = 4096
"""Largest status sent. Peers refuse responses whose headers exceed 8 KiB, and this one travels as base64."""
MESSAGE_CHARS_MAX = 1024
METADATA_CHARS_MAX = 256


class ErrorReason(enum.IntEnum):
    """Why a call failed: ERROR_REASON_… of the contract without its prefix."""

    INVALID_REQUEST = error_pb2.ERROR_REASON_INVALID_REQUEST
    UNKNOWN_FIELD = error_pb2.ERROR_REASON_UNKNOWN_FIELD
    NOT_FOUND = error_pb2.ERROR_REASON_NOT_FOUND
    REQUEST_ID_REUSED = error_pb2.ERROR_REASON_REQUEST_ID_REUSED
    CALLER_NOT_ALLOWED = error_pb2.ERROR_REASON_CALLER_NOT_ALLOWED
    NO_IDENTITY = error_pb2.ERROR_REASON_NO_IDENTITY
    DEADLINE_EXCEEDED = error_pb2.ERROR_REASON_DEADLINE_EXCEEDED
    DEADLINE_TOO_SHORT = error_pb2.ERROR_REASON_DEADLINE_TOO_SHORT
    TOO_MANY_REQUESTS = error_pb2.ERROR_REASON_TOO_MANY_REQUESTS
    RATE_LIMITED = error_pb2.ERROR_REASON_RATE_LIMITED
    DEPENDENCY_UNAVAILABLE = error_pb2.ERROR_REASON_DEPENDENCY_UNAVAILABLE
    SHUTTING_DOWN = error_pb2.ERROR_REASON_SHUTTING_DOWN
    INTERNAL = error_pb2.ERROR_REASON_INTERNAL
    VERSION_CONFLICT = error_pb2.ERROR_REASON_VERSION_CONFLICT
    WRONG_STATE = error_pb2.ERROR_REASON_WRONG_STATE
    CURSOR_EXPIRED = error_pb2.ERROR_REASON_CURSOR_EXPIRED
    OUTSIDE_CALENDAR = error_pb2.ERROR_REASON_OUTSIDE_CALENDAR
    NO_QUOTE = error_pb2.ERROR_REASON_NO_QUOTE
    UNIMPLEMENTED = error_pb2.ERROR_REASON_UNIMPLEMENTED
    CANCELLED = error_pb2.ERROR_REASON_CANCELLED
    OUTCOME_UNKNOWN = error_pb2.ERROR_REASON_OUTCOME_UNKNOWN
    ALREADY_EXISTS = error_pb2.ERROR_REASON_ALREADY_EXISTS
    TOKEN_REFUSED = error_pb2.ERROR_REASON_TOKEN_REFUSED
    SESSION_REVOKED = error_pb2.ERROR_REASON_SESSION_REVOKED
    STEP_UP_REQUIRED = error_pb2.ERROR_REASON_STEP_UP_REQUIRED


CODES: Mapping[ErrorReason, grpc.StatusCode] = {
    ErrorReason.INVALID_REQUEST: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.UNKNOWN_FIELD: grpc.StatusCode.INVALID_ARGUMENT,
    ErrorReason.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    ErrorReason.REQUEST_ID_REUSED: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.CALLER_NOT_ALLOWED: grpc.StatusCode.PERMISSION_DENIED,
    ErrorReason.NO_IDENTITY: grpc.StatusCode.UNAUTHENTICATED,
    ErrorReason.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
    ErrorReason.DEADLINE_TOO_SHORT: grpc.StatusCode.DEADLINE_EXCEEDED,
    ErrorReason.TOO_MANY_REQUESTS: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    ErrorReason.DEPENDENCY_UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.SHUTTING_DOWN: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.INTERNAL: grpc.StatusCode.INTERNAL,
    ErrorReason.VERSION_CONFLICT: grpc.StatusCode.ABORTED,
    ErrorReason.WRONG_STATE: grpc.StatusCode.FAILED_PRECONDITION,
    ErrorReason.CURSOR_EXPIRED: grpc.StatusCode.OUT_OF_RANGE,
    ErrorReason.OUTSIDE_CALENDAR: grpc.StatusCode.OUT_OF_RANGE,
    ErrorReason.NO_QUOTE: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.UNIMPLEMENTED: grpc.StatusCode.UNIMPLEMENTED,
    ErrorReason.CANCELLED: grpc.StatusCode.CANCELLED,
    ErrorReason.OUTCOME_UNKNOWN: grpc.StatusCode.UNAVAILABLE,
    ErrorReason.ALREADY_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    ErrorReason.TOKEN_REFUSED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorReason.SESSION_REVOKED: grpc.StatusCode.UNAUTHENTICATED,
    ErrorReason.STEP_UP_REQUIRED: grpc.StatusCode.PERMISSION_DENIED,
}
"""The one mapping of reasons to codes; a test holds it equal to the comments of error.proto."""


@dataclass(frozen=True, slots=True)
class Violation:
    """A field that breaks a rule: its path ("legs[2].notional"), the rule's id, and what is wrong in words."""

    field: str
    description: str
    rule: str = ""


class Failure(Exception):
    """A call fails for a reason that its caller can understand.

    Args:
        reason: why.
        message: one sentence for a person; it crosses the wire, so it holds nothing that the caller may not know.
        metadata: the keys that the reason's comment in the contract names, with short values.
        violations: for INVALID_REQUEST, every field that is wrong.
        retry_after_s: when another try makes sense, in seconds; None where it does not.
    """

    def __init__(
        self,
        reason: ErrorReason,
        message: str,
        *,
        metadata: Mapping[str, str] | None = None,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = ErrorReason(reason)
        self.message = message
        self.metadata = dict(metadata or {})
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s

    @property
    def code(self) -> grpc.StatusCode:
        """The gRPC code that the reason travels with."""
        return CODES[self.reason]

    def __str__(self) -> str:
        return f"{self.reason.name}: {self.message}"

    def to_status(self, request_id: str = "") -> status_pb2.Status:
        """The status as it crosses the wire, at most STATUS_BYTES_MAX.

        Violations that find no room are left out from the end, and the metadata say how many (`violations_left_out`).
        """
        status = status_pb2.Status(code=self.code.value[0], message=self.message[:MESSAGE_CHARS_MAX])
        bounded = {k: str(v)[:METADATA_CHARS_MAX] for k, v in self.metadata.items()}
        info = error_details_pb2.ErrorInfo(reason=self.reason.name, domain=DOMAIN, metadata=bounded)
        others = []
        if self.retry_after_s is not None:
            retry = error_details_pb2.RetryInfo()
            retry.retry_delay.FromNanoseconds(int(self.retry_after_s * 1e9))
            others.append(retry)
        if request_id:
            others.append(error_details_pb2.RequestInfo(request_id=request_id))
        bad = error_details_pb2.BadRequest()
        if self.violations:
            room = STATUS_BYTES_MAX - 256 - status.ByteSize() - info.ByteSize() - sum(o.ByteSize() for o in others)
            for violation in self.violations:
                entry = error_details_pb2.BadRequest.FieldViolation(
                    field=violation.field[:METADATA_CHARS_MAX],
                    description=violation.description[:MESSAGE_CHARS_MAX],
                    reason=violation.rule,
                )
                room -= entry.ByteSize() + 4
                if room < 0:
                    break
                bad.field_violations.append(entry)
            if left_out := len(self.violations) - len(bad.field_violations):
                info.metadata["violations_left_out"] = str(left_out)
        for detail in (info, *([bad] if self.violations else []), *others):
            status.details.add().Pack(detail)
        return status

    @classmethod
    def from_status(cls, status: status_pb2.Status) -> Failure | None:
        """The failure that a status carries, or None if it was not made by this platform."""
        info, bad, retry = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
        for detail in status.details:
            for message in (info, bad, retry):
                if detail.Is(message.DESCRIPTOR):
                    detail.Unpack(message)
        if info.domain != DOMAIN or info.reason not in ErrorReason.__members__:
            return None
        return cls(
            ErrorReason[info.reason],
            status.message,
            metadata=dict(info.metadata),
            violations=[Violation(v.field, v.description, v.reason) for v in bad.field_violations],
            retry_after_s=retry.retry_delay.ToNanoseconds() / 1e9 if retry.HasField("retry_delay") else None,
        )


def failure_of(error: grpc.RpcError) -> Failure | None:
    """The failure that a client received, or None if the error carries none (the proxy's or the transport's own)."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            return Failure.from_status(status_pb2.Status.FromString(value))
    return None


def invalid(*violations: Violation | tuple[str, str]) -> Failure:
    """The request breaks rules that the contract cannot express: (field path, what is wrong) for each."""
    every = [v if isinstance(v, Violation) else Violation(*v) for v in violations]
    return Failure(ErrorReason.INVALID_REQUEST, summarise(every), violations=every)


def unknown_field(field: str) -> Failure:
    """A body has a field that the contract does not know."""
    return Failure(
        ErrorReason.UNKNOWN_FIELD,
        f"the request has no field {field!r}",
        metadata={"field": field},
        violations=[Violation(field, "the contract has no such field", "unknown_field")],
    )


def not_found(resource: str, name: str, remedy: str = "") -> Failure:
    """There is no `resource` ("instrument") of that name; `remedy` says what would be found, or where it is missed."""
    message = f"no {resource} {name!r}{f': {remedy}' if remedy else ''}"
    return Failure(ErrorReason.NOT_FOUND, message, metadata={"resource": resource, "name": name})


def request_id_reused(request_id: str) -> Failure:
    """The request id came before with another body."""
    return Failure(
        ErrorReason.REQUEST_ID_REUSED,
        "the request id was used before with another body",
        metadata={"request_id": request_id},
    )


def already_exists(resource: str, name: str, words: str) -> Failure:
    """A thing of that name exists with other content; `words` say what to do."""
    return Failure(
        ErrorReason.ALREADY_EXISTS,
        f"{resource} {name!r} exists: {words}",
        metadata={"resource": resource, "name": name},
    )


def caller_not_allowed(method: str, caller: str) -> Failure:
    """The caller may not call the method."""
    return Failure(
        ErrorReason.CALLER_NOT_ALLOWED,
        f"{caller} may not call {method}",
        metadata={"method": method, "caller": caller},
    )


def no_identity(method: str) -> Failure:
    """The call came through a proxy that could not say who makes it."""
    return Failure(ErrorReason.NO_IDENTITY, "the call carries no identity", metadata={"method": method})


def deadline_exceeded(method: str, deadline_s: float) -> Failure:
    """The deadline, `deadline_s` seconds after the call began, passed while the work was under way."""
    return Failure(
        ErrorReason.DEADLINE_EXCEEDED,
        "the deadline passed while the work was under way",
        metadata={"method": method, "deadline_ms": f"{deadline_s * 1e3:.0f}"},
    )


def deadline_too_short(method: str, remaining_s: float, needed_s: float) -> Failure:
    """The time left is less than such calls take."""
    return Failure(
        ErrorReason.DEADLINE_TOO_SHORT,
        "the time left is too short to begin",
        metadata={
            "method": method,
            "remaining_ms": f"{max(remaining_s, 0.0) * 1e3:.1f}",
            "needed_ms": f"{needed_s * 1e3:.1f}",
        },
    )


def too_many_requests(limit: int, retry_after_s: float) -> Failure:
    """The server serves `limit` calls at once and that many are under way."""
    return Failure(
        ErrorReason.TOO_MANY_REQUESTS,
        "the server is at its concurrency limit",
        metadata={"limit": str(limit)},
        retry_after_s=retry_after_s,
    )


def dependency_unavailable(dependency: str, retry_after_s: float = 1.0) -> Failure:
    """Something that the work needs ("postgres") cannot be reached."""
    return Failure(
        ErrorReason.DEPENDENCY_UNAVAILABLE,
        f"{dependency} cannot be reached",
        metadata={"dependency": dependency},
        retry_after_s=retry_after_s,
    )


def shutting_down(instance: str) -> Failure:
    """The server drains; another instance serves the call."""
    return Failure(ErrorReason.SHUTTING_DOWN, "the server is shutting down", metadata={"instance": instance})


def internal(request_id: str) -> Failure:
    """The server is at fault; its log has the cause under the request id."""
    return Failure(
        ErrorReason.INTERNAL,
        "the server failed; its log says why under this request id",
        metadata={"request_id": request_id},
    )


def version_conflict(expected: int, actual: int) -> Failure:
    """The thing changed since the caller read it."""
    return Failure(
        ErrorReason.VERSION_CONFLICT,
        f"the version is {actual}, not {expected}: read it again",
        metadata={"expected": str(expected), "actual": str(actual)},
    )


def wrong_state(state: str, message: str) -> Failure:
    """The thing's state does not admit the change."""
    return Failure(ErrorReason.WRONG_STATE, message, metadata={"state": state})


def cursor_expired(oldest: str) -> Failure:
    """The resume cursor is older than what is kept."""
    return Failure(
        ErrorReason.CURSOR_EXPIRED,
        "the resume cursor is older than what is kept: begin anew without one",
        metadata={"oldest": oldest},
    )


def outside_calendar(message: str, first: str, last: str) -> Failure:
    """A date lies outside of what is known, `first` to `last`."""
    return Failure(ErrorReason.OUTSIDE_CALENDAR, message, metadata={"first": first, "last": last})


def no_quote(instrument: str, health: str, retry_after_s: float | None = 1.0) -> Failure:
    """There is no fresh price."""
    return Failure(
        ErrorReason.NO_QUOTE,
        f"there is no fresh price for {instrument}",
        metadata={"instrument": instrument, "health": health},
        retry_after_s=retry_after_s,
    )


def unimplemented(method: str) -> Failure:
    """The server does not implement the method, or this use of it."""
    return Failure(ErrorReason.UNIMPLEMENTED, f"{method} is not implemented here", metadata={"method": method})


def cancelled(method: str) -> Failure:
    """The caller went away."""
    return Failure(ErrorReason.CANCELLED, "the caller went away", metadata={"method": method})


def outcome_unknown(request_id: str) -> Failure:
    """Whether a write happened could not be learned."""
    return Failure(
        ErrorReason.OUTCOME_UNKNOWN,
        "the outcome could not be learned: repeat the call with the same request id",
        metadata={"request_id": request_id},
        retry_after_s=0.5,
    )


def summarise(violations: Iterable[Violation]) -> str:
    """One sentence over some violations for a status message; the details have them all."""
    every = list(violations)
    words = "; ".join(f"{v.field or 'request'}: {v.description}" for v in every[:3])
    return words + (f"; and {len(every) - 3} more" if len(every) > 3 else "")
