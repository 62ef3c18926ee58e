"""The gate before any weight moves: a candidate's contract against the stable version's, and its settings.

Both versions are asked for their descriptors by server reflection on their own sockets, so that what is compared is
what runs. buf says what breaks readers and writers, in protobuf and in JSON; what a policy promises to callers is
compared here.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from crossrate.rpc.contract import ContractError, Idempotency, MethodContract, read_contracts
from services.control.registry import CHANNEL_OPTIONS

ASK_S_MAX = 10.0
BUF_S_MAX = 30.0
PROBLEMS_MAX = 20
ROUNDS_MAX = 8
"""How often files are asked for that others import."""
RULES = {
    "version": "v2",
    "breaking": {"use": ["WIRE_JSON", "RPC_NO_DELETE", "PACKAGE_SERVICE_NO_DELETE"], "ignore": ["google", "buf"]},
}
"""What may not change; field names in JSON included."""
_STRENGTH = {Idempotency.NOT_IDEMPOTENT: 0, Idempotency.IDEMPOTENT: 1, Idempotency.NO_SIDE_EFFECTS: 2}


class GateError(Exception):
    """The gate cannot say anything: a version does not tell its contract, or the tool is missing."""


def _ours(name: str) -> bool:
    return not name.startswith("grpc.")


async def descriptors(socket: str, also: Iterable[str] = ()) -> descriptor_pb2.FileDescriptorSet:
    """The descriptors of everything that an instance serves.

    Args:
        socket: the instance's own.
        also: files beside them that it may know: messages of the facts that it publishes.

    Raises:
        GateError: it does not answer.
    """
    try:
        async with grpc.aio.insecure_channel(f"unix:{socket}", CHANNEL_OPTIONS) as channel:
            stub = reflection_pb2_grpc.ServerReflectionStub(channel)
            return await _ask_all(stub, also)
    except grpc.aio.AioRpcError as error:
        raise GateError(f"{Path(socket).stem} does not tell its contract: {error.details()}") from None


async def _ask_all(
    stub: reflection_pb2_grpc.ServerReflectionStub, also: Iterable[str]
) -> descriptor_pb2.FileDescriptorSet:
    async def ask(*requests: reflection_pb2.ServerReflectionRequest) -> list[reflection_pb2.ServerReflectionResponse]:
        return [answer async for answer in stub.ServerReflectionInfo(iter(requests), timeout=ASK_S_MAX)]

    request = reflection_pb2.ServerReflectionRequest
    (listed,) = await ask(request(list_services=""))
    names = [s.name for s in listed.list_services_response.service if _ours(s.name)]
    found: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    asked = [request(file_containing_symbol=name) for name in names]
    asked += [request(file_by_filename=name) for name in also]
    for _ in range(ROUNDS_MAX):
        for answer in await ask(*asked):
            for data in answer.file_descriptor_response.file_descriptor_proto:
                file = descriptor_pb2.FileDescriptorProto.FromString(data)
                for message in file.message_type:
                    _name_in_json(message)
                found[file.name] = file
        missing = {d for f in found.values() for d in f.dependency} - found.keys()
        if not missing:
            return descriptor_pb2.FileDescriptorSet(file=_in_order(found))
        asked = [request(file_by_filename=name) for name in sorted(missing)]
    raise GateError(f"it does not tell {', '.join(sorted(missing))}")


def _name_in_json(message: descriptor_pb2.DescriptorProto) -> None:
    """Writes out names in JSON that follow from the fields' own: some languages tell them, others do not."""
    for field in message.field:
        if not field.json_name:
            first, *others = field.name.split("_")
            field.json_name = first + "".join(part[:1].upper() + part[1:] for part in others)
    for inner in message.nested_type:
        _name_in_json(inner)


def _in_order(files: Mapping[str, descriptor_pb2.FileDescriptorProto]) -> list[descriptor_pb2.FileDescriptorProto]:
    """Each file after those that it imports, as pools and tools want them."""
    ordered: dict[str, descriptor_pb2.FileDescriptorProto] = {}

    def add(name: str) -> None:
        if name not in ordered:
            for dependency in files[name].dependency:
                add(dependency)
            ordered[name] = files[name]

    for name in sorted(files):
        add(name)
    return list(ordered.values())


async def breaks(stable: descriptor_pb2.FileDescriptorSet, candidate: descriptor_pb2.FileDescriptorSet) -> list[str]:
    """What of the candidate's contract breaks who reads or writes the stable one's, a sentence each; empty if nothing.

    Raises:
        GateError: buf is not there, or cannot compare them.
    """
    buf = shutil.which("buf", path=f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}")
    if buf is None:
        raise GateError("contracts are compared by buf, which is not installed: `uv sync` brings it")
    with tempfile.TemporaryDirectory(prefix="xr-gate-") as folder:
        paths = [Path(folder) / "candidate.binpb", Path(folder) / "stable.binpb"]
        for path, files in zip(paths, (candidate, stable), strict=True):
            path.write_bytes(files.SerializeToString())
        argv = [buf, "breaking", str(paths[0]), "--against", str(paths[1]), "--config", json.dumps(RULES)]
        child = await asyncio.create_subprocess_exec(
            *argv, "--error-format", "json", cwd=folder, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        try:
            async with asyncio.timeout(BUF_S_MAX):
                out, err = await child.communicate()
        except TimeoutError:
            raise GateError(f"buf did not compare the contracts within {BUF_S_MAX:g} s") from None
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
    if child.returncode and not out.strip():
        raise GateError(f"buf cannot compare the contracts: {err.decode(errors='replace').strip()}")
    return [_sentence(line) for line in out.decode().splitlines()]


def _sentence(line: str) -> str:
    try:
        return str(json.loads(line)["message"]).rstrip(".")
    except (ValueError, KeyError):
        return line


def methods_of(files: descriptor_pb2.FileDescriptorSet) -> dict[str, MethodContract]:
    """The contracts of the methods in some descriptors, by path.

    Raises:
        ContractError: a method breaks a rule of the house.
    """
    pool = descriptor_pool.DescriptorPool()
    for file in files.file:
        pool.Add(file)
    return read_contracts(pool.FindFileByName(f.name) for f in files.file if f.name.startswith("crossrate/"))


def broken_promises(stable: Mapping[str, MethodContract], candidate: Mapping[str, MethodContract]) -> list[str]:
    """What the stable version's policies promise to callers and the candidate's do not keep, a sentence each."""
    found: list[str] = []
    for path, old in stable.items():
        new = candidate.get(path)
        if new is None:
            continue  # buf names what is gone.
        name = path.rsplit(".", 1)[-1]
        found += [f"{name} refuses the role {r}, which it allowed" for r in sorted(old.roles - new.roles)]
        found += [f"{name} refuses the service {s}, which it allowed" for s in sorted(old.services - new.services)]
        if new.deadline_s < old.deadline_s:
            found.append(f"{name} has a deadline of {new.deadline_s:g} s, where it had {old.deadline_s:g} s")
        if _STRENGTH[new.idempotency] < _STRENGTH[old.idempotency]:
            found.append(f"{name} is {new.idempotency.value}, where it was {old.idempotency.value}")
        if new.request_bytes_max < old.request_bytes_max:
            found.append(f"{name} takes {new.request_bytes_max} bytes, where it took {old.request_bytes_max}")
        if new.sticky_field != old.sticky_field:
            found.append(
                f"{name} sticks by {new.sticky_field or 'nothing'}, where it did by {old.sticky_field or 'nothing'}"
            )
        if new.step_up and not old.step_up:
            found.append(f"{name} asks for a second factor, which it did not")
        elif new.step_up and old.step_up_unless not in (None, new.step_up_unless):
            found.append(f"{name} asks for a second factor where it did not")
    return found


async def compare(stable: descriptor_pb2.FileDescriptorSet, candidate: descriptor_pb2.FileDescriptorSet) -> list[str]:
    """Everything that keeps a candidate from taking the stable version's calls, at most PROBLEMS_MAX sentences.

    Raises:
        GateError: they cannot be compared.
    """
    problems = await breaks(stable, candidate)
    try:
        problems += broken_promises(methods_of(stable), methods_of(candidate))
    except (ContractError, TypeError, KeyError) as error:
        problems.append(f"its contract cannot be read: {error}")
    return problems[:PROBLEMS_MAX]
