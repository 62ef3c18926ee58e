"""Why a call failed, as the caller sees it: the code, and what the server put beside it in google.rpc.Status."""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2

from crossrate.rpc.reason import CODE_REMEDIES, REMEDIES, reason_of
from crossrate.rpc.values import seconds

DOMAIN = "crossrate"
STATUS_KEY = "grpc-status-details-bin"

_CODES = {code.value[0]: code for code in grpc.StatusCode}
_REASONS_NOT_WORTH_REPEATING = frozenset({"NO_QUOTE"})
_CODES_WORTH_REPEATING = frozenset({grpc.StatusCode.UNAVAILABLE})


class Violation(NamedTuple):
    """One field of a request that breaks a rule of the contract, and the rule."""

    field: str
    description: str


class CallError(grpc.aio.AioRpcError):
    """A call failed; each code has a class of its own below, so that `except NotFound` works.

    It is an AioRpcError, so `code()` and `details()` work as everywhere; beside them stand

    - `reason`: a `Reason` ("NOT_FOUND", "RATE_LIMITED"), "" when the failure did not come from a service (a proxy's
      refusal, a broken connection);
    - `message`: the text for people;
    - `metadata`: what the reason lets a person act on ("resource", "limit", …);
    - `violations`: the fields that were refused, for INVALID_REQUEST;
    - `retry_after_s`: when trying again makes sense, None if the server did not say;
    - `method`: the wire path; `attempts`: how often it was sent;
    - `request`: the request as it was sent, None where it is not known: sending the same again is safe also for a
      write, since it has its request id;
    - `call_id`: by which the logs of all services, and `crossrate why`, have the call;
    - `remedy`: what to do about it, a sentence.
    """

    _family: ClassVar[dict[grpc.StatusCode, type[CallError]]] = {}

    def __init_subclass__(cls, *, code: grpc.StatusCode | None = None) -> None:
        super().__init_subclass__()
        if code is not None:
            CallError._family[code] = cls

    def __new__(
        cls,
        code: grpc.StatusCode,
        *args: Any,
        status: status_pb2.Status | None = None,
        **kwargs: Any,
    ) -> CallError:
        """The class of the code, as `OSError` is one of its errno."""
        chosen = cls
        if cls is CallError:
            chosen = CallError._family.get(code, CallError)
            if chosen is PermissionDenied and status is not None and _reason(status) == "STEP_UP_REQUIRED":
                chosen = StepUpRequired
        return super().__new__(chosen, code, *args)

    def __init__(
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        method: str,
        status: status_pb2.Status | None = None,
        cause: grpc.aio.AioRpcError | None = None,
    ) -> None:
        empty = grpc.aio.Metadata()
        super().__init__(
            code,
            cause.initial_metadata() if cause else empty,
            cause.trailing_metadata() if cause else empty,
            details=message,
            debug_error_string=cause.debug_error_string() if cause else None,
        )
        self.message = message
        self.method = method
        self.attempts = 1
        self.reason = ""
        self.metadata: dict[str, str] = {}
        self.violations: tuple[Violation, ...] = ()
        self.retry_after_s: float | None = None
        self.request: Any = None
        self.call_id = ""
        self._status = status
        if status is not None:
            self._read(status)

    @classmethod
    def of(cls, error: grpc.aio.AioRpcError, method: str) -> CallError:
        """The typed form of a failed attempt; details that cannot be read are left out, the code and text remain."""
        status = None
        for key, value in error.trailing_metadata() or ():
            if key == STATUS_KEY:
                try:
                    status = status_pb2.Status.FromString(value)
                except ValueError:
                    status = None
        return cls(error.code(), error.details() or "", method=method, status=status, cause=error)

    @classmethod
    def of_status(cls, status: status_pb2.Status, method: str) -> CallError:
        """The typed form of a status that came as a message, as in a stream's `error` event."""
        return cls(_CODES.get(status.code, grpc.StatusCode.UNKNOWN), status.message, method=method, status=status)

    def _read(self, status: status_pb2.Status) -> None:
        info, bad = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        again, logged = error_details_pb2.RetryInfo(), error_details_pb2.RequestInfo()
        for detail in status.details:
            if detail.Is(info.DESCRIPTOR):
                detail.Unpack(info)
                self.reason, self.metadata = reason_of(info.reason), dict(info.metadata)
            elif detail.Is(bad.DESCRIPTOR):
                detail.Unpack(bad)
                self.violations = tuple(Violation(v.field, v.description) for v in bad.field_violations)
            elif detail.Is(again.DESCRIPTOR):
                detail.Unpack(again)
                self.retry_after_s = seconds(again.retry_delay)
            elif detail.Is(logged.DESCRIPTOR):
                detail.Unpack(logged)
                self.call_id = logged.request_id

    @property
    def remedy(self) -> str:
        """What to do about it; "" where nothing better can be said than the message."""
        words = REMEDIES.get(self.reason) or CODE_REMEDIES.get(self.code().name, "")
        return words.replace("METHOD", self.method.rpartition("/")[2])

    @property
    def may_pass(self) -> bool:
        """Whether the same call may succeed a moment later. It says nothing about whether repeating it is safe."""
        if self.reason in _REASONS_NOT_WORTH_REPEATING:
            return self.retry_after_s is not None
        if self.code() is grpc.StatusCode.RESOURCE_EXHAUSTED:
            return self.retry_after_s is not None
        return self.code() in _CODES_WORTH_REPEATING

    def as_status(self) -> status_pb2.Status:
        """The failure as google.rpc.Status, details included as far as they were understood."""
        status = status_pb2.Status(code=self.code().value[0], message=self.message)
        if self.reason:
            info = error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=self.metadata)
            status.details.add().Pack(info)
        if self.violations:
            bad = error_details_pb2.BadRequest()
            for violation in self.violations:
                bad.field_violations.add(field=violation.field, description=violation.description)
            status.details.add().Pack(bad)
        if self.retry_after_s is not None:
            again = error_details_pb2.RetryInfo()
            again.retry_delay.FromNanoseconds(round(self.retry_after_s * 1e9))
            status.details.add().Pack(again)
        return status

    def __str__(self) -> str:
        name = code_pb2.Code.Name(self.code().value[0])
        words = [f"{name}{f' ({self.reason})' if self.reason else ''}: {self.message}"]
        told = (f"{v.field}: {v.description}" for v in self.violations)
        words += [each for each in told if each not in self.message]
        return "; ".join(words)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self}>"

    def __reduce__(self) -> tuple[Any, ...]:
        # Across processes goes what was told; the request stays, it may hold what others are not to read.
        told = {name: getattr(self, name) for name in ("reason", "metadata", "attempts", "call_id", "retry_after_s")}
        status = self._status.SerializeToString() if self._status is not None else b""
        return _again, (self.code().value[0], self.message, self.method, status, told)


def _again(code: int, message: str, method: str, status: bytes, told: dict[str, Any]) -> CallError:
    """A failure that came from another process."""
    read = status_pb2.Status.FromString(status) if status else None
    error = CallError(_CODES[code], message, method=method, status=read)
    vars(error).update(told)
    return error


def _reason(status: status_pb2.Status) -> str:
    info = error_details_pb2.ErrorInfo()
    for detail in status.details:
        if detail.Unpack(info):
            return info.reason
    return ""


class InvalidArgument(CallError, code=grpc.StatusCode.INVALID_ARGUMENT):
    """The request breaks a rule of the contract; `violations` names the fields."""


class NotFound(CallError, code=grpc.StatusCode.NOT_FOUND):
    """There is no such thing."""


class AlreadyExists(CallError, code=grpc.StatusCode.ALREADY_EXISTS):
    """A thing of that name, or a change of that request id, exists with other content."""


class Unauthenticated(CallError, code=grpc.StatusCode.UNAUTHENTICATED):
    """Nobody is proved to be calling: no proof, a token that is refused, a session that was ended."""


class PermissionDenied(CallError, code=grpc.StatusCode.PERMISSION_DENIED):
    """The caller may not do this, or not with this account, instrument or desk."""


class StepUpRequired(PermissionDenied):
    """The call asks for a second factor that was proved not long ago; the same call may pass after another login."""

    @property
    def acr(self) -> str:
        """The level that it takes: "2" for two factors."""
        return self.metadata.get("acr", "")

    @property
    def max_age_s(self) -> float:
        """How long ago the second factor may have been proved, in seconds."""
        return float(self.metadata.get("max_age", 0))


class FailedPrecondition(CallError, code=grpc.StatusCode.FAILED_PRECONDITION):
    """The thing's state does not admit the change."""


class Aborted(CallError, code=grpc.StatusCode.ABORTED):
    """The thing changed since it was read: read it and decide again."""


class OutOfRange(CallError, code=grpc.StatusCode.OUT_OF_RANGE):
    """A cursor, time or date lies outside what is kept or known."""


class ResourceExhausted(CallError, code=grpc.StatusCode.RESOURCE_EXHAUSTED):
    """Too many or too large calls; `retry_after_s` says when to try again."""


class DeadlineExceeded(CallError, code=grpc.StatusCode.DEADLINE_EXCEEDED):
    """Time ran out. Whether a write was carried out is not known: repeat it with the same request id."""


class Unavailable(CallError, code=grpc.StatusCode.UNAVAILABLE):
    """Nobody could serve the call now, after all repetitions that the contract allows."""


class Unimplemented(CallError, code=grpc.StatusCode.UNIMPLEMENTED):
    """The server does not have the method, or not this use of it."""


class Cancelled(CallError, code=grpc.StatusCode.CANCELLED):
    """The call was ended before it was answered."""


class Internal(CallError, code=grpc.StatusCode.INTERNAL):
    """Something on the way or in the service is broken."""


class Unknown(CallError, code=grpc.StatusCode.UNKNOWN):
    """Something failed that could not be told."""


class DataLoss(CallError, code=grpc.StatusCode.DATA_LOSS):
    """What is kept is damaged."""
