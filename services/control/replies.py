"""Answers that a proxy makes itself, in the platform's error model.

A REST client gets google.rpc.Status as JSON. A gRPC or gRPC-Web client keeps Envoy's own grpc-status and message, and
gets the same ErrorInfo in grpc-status-details-bin.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from crossrate.rpc.errors import CODES, DOMAIN, ErrorReason
from services.control.json_guard import local_reply_mapper

_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"
_REPLACED = "OVERWRITE_IF_EXISTS_OR_ADD"
_RETRY_INFO = "type.googleapis.com/google.rpc.RetryInfo"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an HTTP status that Envoy makes stands for: the reason, and the words of the details."""

    http: int
    reason: ErrorReason
    message: str
    retry_after_s: float = 0.0

    @property
    def code(self) -> int:
        """The gRPC code that the reason travels with."""
        return CODES[self.reason].value[0]


RETRY_AFTER_S = 0.25
"""When a client over its rate limit should come again: its bucket has filled by then for most methods."""
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""What every answer says to a browser; strict transport is for pages to ask for, which know their own name. Pages of
services say it themselves."""
REPLIES = (
    Reply(400, ErrorReason.INVALID_REQUEST, "the request is malformed"),
    Reply(401, ErrorReason.NO_IDENTITY, "the call carries no identity that the mesh can prove"),
    Reply(403, ErrorReason.CALLER_NOT_ALLOWED, "the caller may not call this method"),
    Reply(404, ErrorReason.NOT_FOUND, "no method has this path"),
    Reply(405, ErrorReason.UNIMPLEMENTED, "the path has no such method"),
    Reply(408, ErrorReason.DEADLINE_EXCEEDED, "the deadline passed"),
    Reply(411, ErrorReason.INVALID_REQUEST, "the request has no length"),
    Reply(413, ErrorReason.INVALID_REQUEST, "the request is larger than the contract allows"),
    Reply(415, ErrorReason.INVALID_REQUEST, "the content type is not application/json"),
    Reply(426, ErrorReason.INVALID_REQUEST, "the protocol is not supported"),
    Reply(429, ErrorReason.RATE_LIMITED, "the client is over its rate limit", RETRY_AFTER_S),
    Reply(431, ErrorReason.INVALID_REQUEST, "the headers are larger than allowed"),
    Reply(500, ErrorReason.INTERNAL, "internal error"),
    Reply(501, ErrorReason.UNIMPLEMENTED, "not implemented"),
    Reply(502, ErrorReason.DEPENDENCY_UNAVAILABLE, "the service gave no valid answer"),
    Reply(503, ErrorReason.DEPENDENCY_UNAVAILABLE, "the service cannot be reached"),
    Reply(504, ErrorReason.DEADLINE_EXCEEDED, "the deadline passed"),
)
"""Every status that Envoy makes itself here."""

REQUEST_ID = {"header": {"key": "x-request-id", "value": "%REQ(X-REQUEST-ID)%"}, "append_action": _REPLACED}
"""What a proxy answers by itself names the call, so that `crossrate why` finds it; services do so in their errors."""
OVERFLOW = Reply(429, ErrorReason.TOO_MANY_REQUESTS, "the service is busy with as many calls as it takes", 0.1)
"""What the edge says of a call for which a service has no room: the same as the service."""
OVERFLOW_FLAG = "UO"
GRPC_STATUSES = (401, 403, 408, 429, 503, 504)
"""The statuses for which Envoy gives a gRPC client the same code as the reason has."""


def security_headers() -> list[dict[str, Any]]:
    """SECURITY_HEADERS for a route or a reply, where nothing else says them."""
    return [
        {"header": {"key": key, "value": value}, "append_action": "ADD_IF_ABSENT"}
        for key, value in SECURITY_HEADERS.items()
    ]


def _status_is(http: int) -> dict[str, Any]:
    value = {"default_value": http, "runtime_key": "crossrate.never_set"}
    return {"status_code_filter": {"comparison": {"op": "EQ", "value": value}}}


def _header(name: str, **how: Any) -> dict[str, Any]:
    return {"header_filter": {"header": {"name": name, **how}}}


def _all(*filters: dict[str, Any]) -> dict[str, Any]:
    return {"and_filter": {"filters": list(filters)}}


def _is_rest() -> dict[str, Any]:
    # The transcoder has already made the request gRPC when a later filter answers; it leaves its mark in a header that
    # the edge takes away from clients.
    transcoded = _header("x-envoy-original-path", present_match=True)
    plain = _header(
        "content-type",
        string_match={"prefix": "application/grpc"},
        invert_match=True,
        treat_missing_header_as_empty=True,
    )
    return {"or_filter": {"filters": [transcoded, plain]}}


def _is_grpc() -> dict[str, Any]:
    return _header("content-type", string_match={"prefix": "application/grpc"})


def _json_mapper(reply: Reply) -> dict[str, Any]:
    told: list[dict[str, Any]] = [{"@type": _ERROR_INFO, "reason": reply.reason.name, "domain": DOMAIN, "metadata": {}}]
    mapper: dict[str, Any] = {"filter": _all(_is_rest(), _status_is(reply.http)), "headers_to_add": security_headers()}
    if reply.retry_after_s:
        told.append({"@type": _RETRY_INFO, "retryDelay": f"{reply.retry_after_s:g}s"})
        # Whole seconds are all that the header can say (RFC 9110, section 10.2.3).
        header = {"key": "retry-after", "value": str(math.ceil(reply.retry_after_s))}
        mapper["headers_to_add"].append({"header": header, "append_action": _REPLACED})
    document = {"code": reply.code, "message": "%LOCAL_REPLY_BODY%", "details": told}
    mapper["body_format_override"] = {"content_type": "application/json", "json_format": document}
    return mapper


def details(reply: Reply) -> str:
    """The value of grpc-status-details-bin for a reply."""
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=reply.reason.name, domain=DOMAIN))
    status = status_pb2.Status(code=reply.code, message=reply.message, details=[info])
    if reply.retry_after_s:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(int(reply.retry_after_s * 1e9))
        status.details.add().Pack(retry)
    return base64.b64encode(status.SerializeToString()).decode().rstrip("=")


def _details_mapper(reply: Reply) -> dict[str, Any]:
    value = details(reply)
    header = {"header": {"key": "grpc-status-details-bin", "value": value}, "append_action": "ADD_IF_ABSENT"}
    return {"filter": _all(_is_grpc(), _status_is(reply.http)), "headers_to_add": [header]}


def _grpc_mappers() -> list[dict[str, Any]]:
    return [_details_mapper(r) for r in REPLIES if r.http in GRPC_STATUSES]


def _named(mappers: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{**each, "headers_to_add": [*each.get("headers_to_add", ()), REQUEST_ID]} for each in mappers]


def grpc_replies() -> dict[str, Any]:
    """For a listener that only gRPC clients use. What is none of these, a fault of a drill, is named as well."""
    return {"mappers": _named([*_grpc_mappers(), {"filter": _is_grpc()}])}


def _overflow_mappers() -> list[dict[str, Any]]:
    full = {"response_flag_filter": {"flags": [OVERFLOW_FLAG]}}
    rest = _json_mapper(OVERFLOW)
    rest |= {"filter": _all(_is_rest(), full), "status_code": OVERFLOW.http}
    rest["body_format_override"]["json_format"]["message"] = OVERFLOW.message
    grpc = _details_mapper(OVERFLOW)
    # Envoy would say UNAVAILABLE, after which clients ask again at once.
    status = {"header": {"key": "grpc-status", "value": str(OVERFLOW.code)}, "append_action": _REPLACED}
    grpc |= {"filter": _all(_is_grpc(), full), "body": {"inline_string": OVERFLOW.message}}
    grpc["headers_to_add"].append(status)
    return [rest, grpc]


def edge_replies() -> dict[str, Any]:
    """For the edge: JSON for REST clients, details for the others. The first mapper that fits is the only one."""
    general = (*(_json_mapper(r) for r in REPLIES), *_grpc_mappers())
    return {"mappers": _named([local_reply_mapper(), *_overflow_mappers(), *general])}
