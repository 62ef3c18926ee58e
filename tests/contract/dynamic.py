"""Contracts made up by a test: compiled as scripts/generate compiles the real ones, in a pool of their own."""

from __future__ import annotations

import tempfile
from importlib.resources import files
from itertools import count
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_tools import protoc

PROTO = Path(__file__).resolve().parents[2] / "proto"
_number = count()


def compile_set(text: str) -> descriptor_pb2.FileDescriptorSet:
    """The descriptor set of a .proto file with everything that it imports and with its comments.

    Raises:
        ValueError: protoc refuses the text (it says why on stderr).
    """
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"crossrate_test_{next(_number)}.proto"
        source.write_text(text)
        out = Path(folder) / "set.binpb"
        well_known = str(files("grpc_tools") / "_proto")
        include = ["-I", folder, "-I", str(PROTO), "-I", well_known]
        arguments = ["", *include, "--include_imports", "--include_source_info", f"--descriptor_set_out={out}"]
        if protoc.main([*arguments, source.name]):
            raise ValueError("protoc refuses this contract")
        return descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())


def compile_file(text: str) -> FileDescriptor:
    """The descriptor of a .proto file."""
    described = compile_set(text)
    pool = descriptor_pool.DescriptorPool()
    for file in described.file:
        pool.Add(file)
    return pool.FindFileByName(described.file[-1].name)
