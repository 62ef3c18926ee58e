"""Calls that stick: those with the same value in the field that the contract names go to the same instance.

The proxy reads the field out of the first message, and its hash chooses among the instances by Maglev's table: one that
goes gives its values to the others, one that comes takes its share, and hardly any other moves. (A ring of Envoy's has
fewer points of each instance the more there are, so that others move as well.) It is done where instances are chosen,
at the callee's own listener.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterable, Sequence
from typing import Any

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor

from crossrate.rpc.contract import MethodContract
from services.control.envoy_api import extension

_EXTRACTION = "envoy.extensions.filters.http.grpc_field_extraction.v3.GrpcFieldExtractionConfig"
_FILTER_STATE = "envoy.extensions.filters.http.set_filter_state.v3.Config"
EXTRACTED = "envoy.filters.http.grpc_field_extraction"
KEY = "crossrate.sticky"
"""The filter state in which the value lies."""


def sticky_methods(methods: Iterable[MethodContract]) -> list[MethodContract]:
    """Methods whose calls stick, in order."""
    return [m for m in methods if m.sticky_field]


def logged_pair(method: MethodContract) -> str:
    """The field of a method that sticks which names its pair, if that is one; "" if none is. It is read out beside the
    key, for the log of calls."""
    paths = [path for path in method.instrument_fields if _is_one(method, path)] if method.sticky_field else []
    return paths[0] if len(paths) == 1 else ""


def _is_one(method: MethodContract, path: str) -> bool:
    message = method.input
    for name in path.split("."):
        field = None if message is None else message.fields_by_name.get(name)
        if field is None or field.is_repeated:
            return False
        message = field.message_type
    return True


@functools.cache
def _descriptors(files: tuple[FileDescriptor, ...]) -> str:
    described = descriptor_pb2.FileDescriptorSet()
    seen: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name not in seen:
            seen.add(file.name)
            for dependency in file.dependencies:
                add(dependency)
            file.CopyToProto(described.file.add())

    for file in files:
        add(file)
    return base64.b64encode(described.SerializeToString(deterministic=True)).decode()


def sticky_filters(methods: Sequence[MethodContract]) -> list[dict[str, Any]]:
    """The filters that read the fields; none for a service without such methods."""
    sticky = sticky_methods(methods)
    if not sticky:
        return []
    files = {m.descriptor.containing_service.file.name: m.descriptor.containing_service.file for m in sticky}
    extraction = {
        "descriptor_set": {"inline_bytes": _descriptors(tuple(file for _, file in sorted(files.items())))},
        "extractions_by_method": {
            m.path[1:].replace("/", "."): {
                "request_field_extractions": {path: {} for path in (m.sticky_field, logged_pair(m)) if path}
            }
            for m in sticky
        },
    }
    fields = sorted({m.sticky_field for m in sticky})
    found = "".join(f"%DYNAMIC_METADATA({EXTRACTED}:{field})%" for field in fields)
    state = {
        "object_key": KEY,
        "factory_key": "envoy.hashable_string",
        "format_string": {"text_format_source": {"inline_string": found}, "omit_empty_values": True},
        "skip_if_empty": True,
    }
    return [
        extension(EXTRACTED, _EXTRACTION, extraction),
        extension("envoy.filters.http.set_filter_state", _FILTER_STATE, {"on_request_headers": [state]}),
    ]


def hash_policy(method: MethodContract) -> dict[str, Any]:
    """The part of a route that chooses by the value."""
    return {"hash_policy": [{"filter_state": {"key": KEY}, "terminal": True}]} if method.sticky_field else {}


def by_value() -> dict[str, Any]:
    """The part of a cluster that does; a call without a value goes to any instance."""
    return {"lb_policy": "MAGLEV"}
