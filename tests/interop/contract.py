"""The messages, stubs and registration of interop.proto, made when a test starts: no generated file to keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import grpc
from google.protobuf.descriptor import MethodDescriptor, ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from tests.contract.dynamic import compile_file

_FILE = compile_file((Path(__file__).parent / "interop.proto").read_text())
messages = SimpleNamespace(**{name: GetMessageClass(found) for name, found in _FILE.message_types_by_name.items()})
"""The message classes by name."""
TEST_SERVICE: ServiceDescriptor = _FILE.services_by_name["TestService"]
UNIMPLEMENTED_SERVICE: ServiceDescriptor = _FILE.services_by_name["UnimplementedService"]

_KINDS = {(False, False): "unary_unary", (False, True): "unary_stream"} | {
    (True, False): "stream_unary",
    (True, True): "stream_stream",
}


def _kind(method: MethodDescriptor) -> str:
    return _KINDS[method.client_streaming, method.server_streaming]


def path_of(method: MethodDescriptor) -> str:
    """The wire path."""
    return f"/{method.containing_service.full_name}/{method.name}"


def stub(channel: Any, service: ServiceDescriptor = TEST_SERVICE) -> SimpleNamespace:
    """What a generated stub is: for each method the channel's callable."""
    return SimpleNamespace(
        **{
            method.name: getattr(channel, _kind(method))(
                path_of(method),
                request_serializer=GetMessageClass(method.input_type).SerializeToString,
                response_deserializer=GetMessageClass(method.output_type).FromString,
            )
            for method in service.methods
        }
    )


def handlers(servicer: object, service: ServiceDescriptor = TEST_SERVICE) -> dict[str, grpc.RpcMethodHandler]:
    """What a generated registration gives to a server, by wire path; methods that the servicer lacks are left out."""
    found = {}
    for method in service.methods:
        behaviour: Callable | None = getattr(servicer, method.name, None)
        if behaviour is not None:
            found[path_of(method)] = getattr(grpc, f"{_kind(method)}_rpc_method_handler")(
                behaviour,
                request_deserializer=GetMessageClass(method.input_type).FromString,
                response_serializer=GetMessageClass(method.output_type).SerializeToString,
            )
    return found
