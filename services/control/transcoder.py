"""REST for the edge: Envoy's transcoder with the contracts' own descriptors."""

from __future__ import annotations

import base64
import functools
from importlib.resources import files
from typing import Any

from google.protobuf import descriptor_pb2

from crossrate.rpc.contract import REQUEST_BYTES_MAX
from crossrate.runtime.topology import Topology
from services.control.access import Contracts
from services.control.envoy_api import TYPE_PREFIX, extension
from services.control.state import Limits

FILTER = "envoy.filters.http.grpc_json_transcoder"
_TRANSCODER = "envoy.extensions.filters.http.grpc_json_transcoder.v3.GrpcJsonTranscoder"


@functools.cache
def _descriptors() -> str:
    # Comments are two thirds of the set, and the transcoder has no use for them.
    data = files("crossrate.api").joinpath("contracts.binpb").read_bytes()
    described = descriptor_pb2.FileDescriptorSet.FromString(data)
    for file in described.file:
        file.ClearField("source_code_info")
    return base64.b64encode(described.SerializeToString(deterministic=True)).decode()


def rest_services(topology: Topology, contracts: Contracts) -> list[str]:
    """Full names of the services that have a method for clients, in order."""
    return sorted({m.service for m in contracts.values() if m.roles and m.workload in topology.services})


def rest_request_bytes_max(contracts: Contracts) -> int:
    """The largest request of any method that has a REST path."""
    return max((m.request_bytes_max for m in contracts.values() if m.rest), default=REQUEST_BYTES_MAX)


def _config(style: str, topology: Topology, contracts: Contracts, limits: Limits) -> dict[str, Any]:
    return {
        "proto_descriptor_bin": _descriptors(),
        "services": rest_services(topology, contracts),
        "print_options": {"always_print_primitive_fields": True, style: True},
        "convert_grpc_status": True,
        "url_unescape_spec": "ALL_CHARACTERS_EXCEPT_RESERVED",
        "request_validation_options": {
            "reject_unknown_method": True,
            "reject_unknown_query_parameters": True,
            "reject_binding_body_field_collisions": True,
        },
        "max_request_body_size": rest_request_bytes_max(contracts),
        "max_response_body_size": limits.answer_bytes_max,
    }


def transcoder(topology: Topology, contracts: Contracts, limits: Limits) -> dict[str, Any]:
    """The filter; streams are written as one JSON object a line."""
    return extension(FILTER, _TRANSCODER, _config("stream_newline_delimited", topology, contracts, limits))


def events_config(topology: Topology, contracts: Contracts, limits: Limits) -> dict[str, Any]:
    """The filter's configuration for a route on which streams are written as server-sent events."""
    config = _config("stream_sse_style_delimited", topology, contracts, limits)
    return {FILTER: {"@type": TYPE_PREFIX + _TRANSCODER, **config}}
