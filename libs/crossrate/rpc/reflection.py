"""Server reflection, so that grpcurl and the like can call without having the contracts.

The package offers the v1alpha service; v1 differs from it in nothing but its name, so one servicer answers both.
"""

from __future__ import annotations

from collections.abc import Iterable

import grpc
from google.protobuf.descriptor import MethodDescriptor
from grpc_reflection.v1alpha import reflection_pb2
from grpc_reflection.v1alpha._async import ReflectionServicer

PATHS = tuple(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo" for version in ("v1", "v1alpha"))


def method() -> MethodDescriptor:
    """The descriptor of the one method."""
    return reflection_pb2.DESCRIPTOR.services_by_name["ServerReflection"].methods[0]


def handler(services: Iterable[str]) -> grpc.RpcMethodHandler:
    """Answers for the services with these full names."""
    return grpc.stream_stream_rpc_method_handler(
        ReflectionServicer(services).ServerReflectionInfo,
        request_deserializer=reflection_pb2.ServerReflectionRequest.FromString,
        response_serializer=reflection_pb2.ServerReflectionResponse.SerializeToString,
    )
