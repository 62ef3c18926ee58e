"""The contracts of others that stand in proto/ are those of the pinned wheels, field for field."""

from __future__ import annotations

import ast
from importlib import import_module
from pathlib import Path

import protovalidate
import pytest
from google.protobuf import descriptor_pb2
from protovalidate._gen.buf.validate import validate_pb

from buf.validate import validate_pb2
from crossrate.api.reference.v1 import reference_service_pb2 as reference
from tests.contract.dynamic import PROTO, compile_set

GOOGLE = sorted(path.relative_to(PROTO).as_posix() for path in (PROTO / "google").rglob("*.proto"))


def compiled(name: str) -> descriptor_pb2.FileDescriptorProto:
    """A vendored file as protoc reads it, without its comments."""
    described = compile_set(f'syntax = "proto3";\nimport "{name}";\n')
    (file,) = [file for file in described.file if file.name == name]
    return without_comments(file)


def without_comments(file: descriptor_pb2.FileDescriptorProto) -> descriptor_pb2.FileDescriptorProto:
    """What a file declares; comments and positions are not part of it, and wheels leave them out."""
    file.ClearField("source_code_info")
    # Names of packages in other languages, which buf adds to what it publishes.
    file.ClearField("options")
    # protoc writes these for each field, generated code does not.
    for message in file.message_type:
        strip_json_names(message)
    for extension in file.extension:
        extension.ClearField("json_name")
    return file


def strip_json_names(message: descriptor_pb2.DescriptorProto) -> None:
    """Takes the JSON names off that follow from the fields' own."""
    for field in (*message.field, *message.extension):
        field.ClearField("json_name")
    for inner in message.nested_type:
        strip_json_names(inner)


def of_module(module) -> descriptor_pb2.FileDescriptorProto:
    """The descriptor in a generated module."""
    file = descriptor_pb2.FileDescriptorProto.FromString(module.DESCRIPTOR.serialized_pb)
    return without_comments(file)


def embedded_rules() -> descriptor_pb2.FileDescriptorProto:
    """The rules' descriptor as protovalidate's own generated code carries it: a literal of bytes."""
    source = Path(validate_pb.__file__).read_text()
    literals = [n.value for n in ast.walk(ast.parse(source)) if isinstance(n, ast.Constant) and type(n.value) is bytes]
    file = descriptor_pb2.FileDescriptorProto.FromString(max(literals, key=len))
    return without_comments(file)


@pytest.mark.parametrize("name", GOOGLE)
def test_googles_contracts_are_those_of_the_wheel(name: str) -> None:
    """proto/google declares what googleapis-common-protos, at the locked version, declares."""
    wheel = of_module(import_module(name.removesuffix(".proto").replace("/", ".") + "_pb2"))
    assert compiled(name) == wheel


@pytest.mark.parametrize("name", GOOGLE)
def test_googles_text_is_that_of_the_wheel(name: str) -> None:
    """The wheel carries the same .proto file, comments included."""
    package = import_module("google.rpc.status_pb2")
    folder = Path(package.__file__).parents[2]
    assert (PROTO / name).read_text() == (folder / name).read_text()


def test_bufs_rules_are_those_of_the_wheel() -> None:
    """proto/buf declares the rules that protovalidate, at the locked version, was compiled with."""
    assert compiled("buf/validate/validate.proto") == of_module(validate_pb2) == embedded_rules()


def test_the_rules_mean_what_the_validator_takes_them_for() -> None:
    """A rule of the generated code reaches the validator: one that is broken is reported by its id and field."""
    (violation,) = protovalidate.collect_violations(reference.ListInstrumentsRequest(page_size=-1))
    assert violation.proto.rule_id == "int32.gte_lte"
    assert violation.proto.field.elements[0].field_name == "page_size"
