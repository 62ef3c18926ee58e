"""Answers that a proxy makes itself, in the platform's error model.

A REST client gets google.rpc.Status as JSON. A gRPC or gRPC-Web client keeps Envoy's own grpc-status and message, and
gets the same ErrorInfo in grpc-status-details-bin.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

from google.protobuf import any_pb2
from google.rpc import error_details_pb2, status_pb2

from crossrate.rpc.errors import CODES, DOMAIN, ErrorReason
from services.control.json_guard import local_reply_mapper

_ERROR_INFO = "type.googleapis.com/google.rpc.ErrorInfo"


@dataclass(frozen=True, slots=True)
class Reply:
    """What an HTTP status that Envoy makes stands for: the reason, and the words of the details."""

    http: int
    reason: ErrorReason
    message: str

    @property
    def code(self) -> int:
        """The gRPC code that the reason travels with."""
        return CODES[self.reason].value[0]


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
    Reply(429, ErrorReason.RATE_LIMITED, "too many requests"),
    Reply(431, ErrorReason.INVALID_REQUEST, "the headers are larger than allowed"),
    Reply(500, ErrorReason.INTERNAL, "internal error"),
    Reply(501, ErrorReason.UNIMPLEMENTED, "not implemented"),
    Reply(502, ErrorReason.DEPENDENCY_UNAVAILABLE, "the service gave no valid answer"),
    Reply(503, ErrorReason.DEPENDENCY_UNAVAILABLE, "the service cannot be reached"),
    Reply(504, ErrorReason.DEADLINE_EXCEEDED, "the deadline passed"),
)
"""Every status that Envoy makes itself here."""

GRPC_STATUSES = (401, 403, 408, 429, 503, 504)
"""The statuses for which Envoy gives a gRPC client the same code as the reason has."""


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
    document = {
        "code": reply.code,
        "message": "%LOCAL_REPLY_BODY%",
        "details": [{"@type": _ERROR_INFO, "reason": reply.reason.name, "domain": DOMAIN, "metadata": {}}],
    }
    body = {"content_type": "application/json", "json_format": document}
    return {"filter": _all(_is_rest(), _status_is(reply.http)), "body_format_override": body}


def details(reply: Reply) -> str:
    """The value of grpc-status-details-bin for a reply."""
    info = any_pb2.Any()
    info.Pack(error_details_pb2.ErrorInfo(reason=reply.reason.name, domain=DOMAIN))
    status = status_pb2.Status(code=reply.code, message=reply.message, details=[info])
    return base64.b64encode(status.SerializeToString()).decode().rstrip("=")


def _details_mapper(reply: Reply) -> dict[str, Any]:
    value = details(reply)
    header = {"header": {"key": "grpc-status-details-bin", "value": value}, "append_action": "ADD_IF_ABSENT"}
    return {"filter": _all(_is_grpc(), _status_is(reply.http)), "headers_to_add": [header]}


def grpc_replies() -> dict[str, Any]:
    """For a listener that only gRPC clients use."""
    return {"mappers": [_details_mapper(r) for r in REPLIES if r.http in GRPC_STATUSES]}


def edge_replies() -> dict[str, Any]:
    """For the edge: JSON for REST clients, details for the others. The first mapper that fits is the only one."""
    return {"mappers": [local_reply_mapper(), *(_json_mapper(r) for r in REPLIES), *grpc_replies()["mappers"]]}
