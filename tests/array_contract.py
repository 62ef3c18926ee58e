"""The contract of array_contract.proto, compiled when it is first asked for: classes, and its methods as the mesh reads
them."""

from __future__ import annotations

import functools
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import grpc
import grpc_tools
from google.api import annotations_pb2
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, timestamp_pb2
from google.protobuf.descriptor import FileDescriptor

from buf.validate import validate_pb2
from crossrate.api.policy.v1 import policy_pb2
from crossrate.rpc.contract import MethodContract, read_contracts
from crossrate.runtime.place import REPOSITORY

FILE = "array_contract.proto"
NEEDED = (annotations_pb2, policy_pb2, timestamp_pb2, validate_pb2)
"""Whose files the contract imports."""
SERVICE = "test.arrays.DeskService"


@functools.cache
def file() -> FileDescriptor:
    """The compiled file."""
    folders = [Path(__file__).parent, REPOSITORY / "proto", Path(grpc_tools.__file__).parent / "_proto"]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "set"
        command = [sys.executable, "-m", "grpc_tools.protoc", *(f"-I{f}" for f in folders)]
        subprocess.run([*command, f"--descriptor_set_out={out}", FILE], check=True, timeout=60)
        (compiled,) = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes()).file
    assert all(needed.DESCRIPTOR.name in compiled.dependency for needed in NEEDED)
    pool = descriptor_pool.Default()
    pool.AddSerializedFile(compiled.SerializeToString())
    return pool.FindFileByName(FILE)


def kind(name: str) -> Any:
    """A message class by its short name."""
    return message_factory.GetMessageClass(file().message_types_by_name[name])


@functools.cache
def contracts() -> Mapping[str, MethodContract]:
    """The methods by wire path."""
    return read_contracts([file()])


def register(servicer: Any, server: Any) -> None:
    """What generated code does for a servicer."""
    serializers = {
        "request_deserializer": kind("PriceRequest").FromString,
        "response_serializer": kind("PriceResponse").SerializeToString,
    }
    handlers = {
        "Price": grpc.unary_unary_rpc_method_handler(servicer.Price, **serializers),
        "StreamPrices": grpc.unary_stream_rpc_method_handler(servicer.StreamPrices, **serializers),
    }
    server.add_registered_method_handlers(SERVICE, handlers)
