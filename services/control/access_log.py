"""The log of calls during a release: each call's method, instance, code and time, sent by the proxies to control.

Only calls that carry a release's header are logged, so that without a release nothing is, and a release moves routes
alone. Envoy keeps the log in memory and sends it every FLUSH_S; what control misses while it is away is lost, and the
counts are of what was seen.
"""

from __future__ import annotations

from typing import Any

from crossrate.node.bootstrap import XDS
from crossrate.rpc.release_mark import RELEASE_HEADER
from services.control.envoy_api import extension
from services.control.shares import SIDE_HEADER

_GRPC_LOG = "envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig"
CALLS = "calls|"
"""How the names of these logs begin."""
FLUSH_S = 0.2
BUFFER_BYTES_MAX = 64 << 10
STATUS = "grpc-status"
TIMEOUT = "grpc-timeout"
HELD_S = 5.0
"""A call that is still under way is logged again and again after so long: a stream that lives for hours is seen to be
well before it ends."""


def grpc_log(name: str, flush_s: float, only: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A log of the calls that a filter lets through, to control's own socket, sent every so many seconds."""
    common = {
        "log_name": name,
        "grpc_service": {"envoy_grpc": {"cluster_name": XDS}},
        "transport_api_version": "V3",
        "buffer_flush_interval": f"{flush_s:g}s",
        "buffer_size_bytes": BUFFER_BYTES_MAX,
    }
    return {**extension("envoy.access_loggers.http_grpc", _GRPC_LOG, {"common_config": common, **more}), "filter": only}


def call_log(backend: str) -> dict[str, Any]:
    """What an inbound listener logs of a release's calls."""
    return grpc_log(
        CALLS + backend,
        FLUSH_S,
        {"header_filter": {"header": {"name": RELEASE_HEADER, "present_match": True}}},
        additional_request_headers_to_log=[RELEASE_HEADER, SIDE_HEADER, TIMEOUT],
        # An answer without messages carries its code in the headers.
        additional_response_headers_to_log=[STATUS],
        additional_response_trailers_to_log=[STATUS],
    )
