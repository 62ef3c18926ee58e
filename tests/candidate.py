"""A candidate for tests: the real program of `reference`, with a fault planted by CROSSRATE_REFERENCE_FAULT.

none             another version of the same
crash            ends at once
contract         has lost a method
unhealthy:PATH   stops serving as soon as there is a file at PATH
errors:PERCENT   fails so many calls of GetInstrument with INTERNAL, one after the other as they come
field:NAME=TEXT  answers GetInstrument with another text in one field of the instrument
"""

from __future__ import annotations

import itertools
import os
import sys
from collections.abc import Callable
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import FileDescriptor
from grpc_reflection.v1alpha._async import ReflectionServicer

from crossrate.api.reference.v1 import reference_service_pb2
from crossrate.rpc import reflection
from crossrate.rpc.server import Server
from crossrate.runtime.process import run
from services.reference import main as program
from services.reference.service import ReferenceService

LOST = "ListCurrencies"


def _files(file: FileDescriptor, found: dict[str, descriptor_pb2.FileDescriptorProto]) -> None:
    """Everything that a file imports, then the file."""
    if file.name not in found:
        for dependency in file.dependencies:
            _files(dependency, found)
        file.CopyToProto(found.setdefault(file.name, descriptor_pb2.FileDescriptorProto()))


def lose_a_method() -> None:
    """What the candidate tells of its contract lacks a method."""
    found: dict[str, descriptor_pb2.FileDescriptorProto] = {}
    _files(reference_service_pb2.DESCRIPTOR, found)
    service = found[reference_service_pb2.DESCRIPTOR.name].service[0]
    kept = [method for method in service.method if method.name != LOST]
    assert len(kept) == len(service.method) - 1
    del service.method[:]
    service.method.extend(kept)
    pool = descriptor_pool.DescriptorPool()
    for file in found.values():
        pool.Add(file)
    names = [f"{reference_service_pb2.DESCRIPTOR.package}.{service.name}"]
    reflection.ReflectionServicer = lambda _: ReflectionServicer(names, pool=pool)  # type: ignore[misc]


def fall_ill(path: Path) -> None:
    """One more thing that the work needs: that there is no file at a path."""
    serve = Server.serve

    async def well() -> bool:
        return not path.exists()

    async def serve_while_well(self: Server) -> None:
        self.health.depends_on("wellness", well)
        await serve(self)

    Server.serve = serve_while_well  # type: ignore[method-assign]


def fail(percent: int) -> None:
    """So many of a hundred calls of GetInstrument raise."""
    answer: Callable = ReferenceService.GetInstrument
    numbers = itertools.count()

    async def sometimes(self: ReferenceService, request, context):
        if next(numbers) % 100 < percent:
            raise RuntimeError("planted")
        return await answer(self, request, context)

    ReferenceService.GetInstrument = sometimes  # type: ignore[method-assign]


def change(field: str, text: str) -> None:
    """One field of every answer of GetInstrument has another text."""
    answer: Callable = ReferenceService.GetInstrument

    async def changed(self: ReferenceService, request, context):
        answered = await answer(self, request, context)
        setattr(answered.instrument, field, text)
        return answered

    ReferenceService.GetInstrument = changed  # type: ignore[method-assign]


def main() -> None:
    """Plants the fault and runs the program."""
    fault, _, argument = os.environ.get("CROSSRATE_REFERENCE_FAULT", "none").partition(":")
    if fault == "crash":
        sys.exit("the candidate has no mind to run")
    elif fault == "contract":
        lose_a_method()
    elif fault == "unhealthy":
        fall_ill(Path(argument))
    elif fault == "errors":
        fail(int(argument))
    elif fault == "field":
        change(*argument.split("=", 1))
    elif fault != "none":
        sys.exit(f"there is no fault {fault!r}")
    run(program.serve)


if __name__ == "__main__":
    main()
