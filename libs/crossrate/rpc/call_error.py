"""Why a call failed, as the caller sees it: the code, and what the server put beside it in google.rpc.Status."""

from __future__ import annotations

from typing import NamedTuple

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2

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
    """A call failed.

    It is an AioRpcError, so `code()` and `details()` work as everywhere; beside them stand

    - `reason`: the ErrorReason without its prefix ("NOT_FOUND", "RATE_LIMITED"), "" when the failure did not come from
      a service (a proxy's refusal, a broken connection);
    - `message`: the text for people;
    - `metadata`: what the reason lets a person act on ("resource", "limit", …);
    - `violations`: the fields that were refused, for INVALID_REQUEST;
    - `retry_after_s`: when trying again makes sense, None if the server did not say;
    - `method`: the wire path; `attempts`: how often it was sent.
    """

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
        again = error_details_pb2.RetryInfo()
        for detail in status.details:
            if detail.Is(info.DESCRIPTOR):
                detail.Unpack(info)
                self.reason, self.metadata = info.reason, dict(info.metadata)
            elif detail.Is(bad.DESCRIPTOR):
                detail.Unpack(bad)
                self.violations = tuple(Violation(v.field, v.description) for v in bad.field_violations)
            elif detail.Is(again.DESCRIPTOR):
                detail.Unpack(again)
                self.retry_after_s = seconds(again.retry_delay)

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

    __repr__ = __str__
