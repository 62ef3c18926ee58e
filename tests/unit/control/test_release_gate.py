"""Contracts compared before a candidate gets a call."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import Descriptor

from crossrate.rpc.contract import MethodContract, contracts, find_method
from services.control.releases.gate import _name_in_json, broken_promises

PROJECT = Path(__file__).resolve().parents[3] / "pyproject.toml"


def test_what_compares_contracts_is_installed_wherever_the_mesh_is() -> None:
    """`./scripts/run` leaves out what only development needs; without buf no release would get past its gate."""
    project = tomllib.loads(PROJECT.read_text())["project"]
    assert any(each.startswith("buf-bin==") for each in project["dependencies"])


def _names(message: descriptor_pb2.DescriptorProto) -> list[str]:
    inner = [name for each in message.nested_type for name in _names(each)]
    return [field.json_name for field in message.field] + inner


def _expected(message: Descriptor) -> list[str]:
    inner = [name for each in message.nested_types for name in _expected(each)]
    return [field.json_name for field in message.fields] + inner


def test_names_in_json_that_a_program_leaves_out_are_what_protobuf_makes_of_them() -> None:
    """Programs in Go tell them and those in Python do not; neither is a break of the other, in any of our messages."""
    files = {method.input.file.name: method.input.file for method in contracts().values()}
    for file in files.values():
        told = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(told)
        for message in told.message_type:
            _name_in_json(message)
            assert _names(message) == _expected(file.message_types_by_name[message.name])
    assert len(files) > 20


def test_a_second_factor_that_was_not_asked_for_is_a_broken_promise() -> None:
    """Of the method, and of the one value that needed none; to ask for less breaks nothing."""
    often = find_method("SetVenueState")
    always, never = replace(often, step_up_unless=None), replace(often, step_up=False, step_up_unless=None)

    def broken(stable: MethodContract, candidate: MethodContract) -> list[str]:
        return broken_promises({often.path: stable}, {often.path: candidate})

    assert broken(never, often) == ["VenueService/SetVenueState asks for a second factor, which it did not"]
    assert broken(often, always) == ["VenueService/SetVenueState asks for a second factor where it did not"]
    assert not broken(always, often) + broken(often, never) + broken(often, often)
