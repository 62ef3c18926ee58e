"""A small mesh whose services are released over and over, and the operator who does it, by the API."""

from __future__ import annotations

import asyncio
import contextlib
import time
import uuid
from pathlib import Path
from typing import Any

import grpc

from crossrate.api.control.v1 import release_pb2
from crossrate.api.control.v1 import release_service_pb2 as release_pb
from crossrate.api.control.v1 import release_service_pb2_grpc as release_grpc
from tests.bench.load_channel import LoadChannel
from tests.candidates.faults import SEED_VARIABLE, VARIABLE
from tests.mesh import Mesh
from tests.releasing import LEDGER, MARKETDATA, RELEASING

ASK_S = 0.05
CALL_S_MAX = 60.0
TOPOLOGY = RELEASING + MARKETDATA + LEDGER
OVER = (release_pb2.RELEASE_PHASE_PROMOTED, release_pb2.RELEASE_PHASE_ABORTED)


class Ended(Exception):
    """A release has ended otherwise than was waited for."""


class Stand:
    """The mesh of a folder, and words to its releases.

    Args:
        folder: where topology and specifications are written.
    """

    def __init__(self, folder: Path, mesh: Mesh) -> None:
        self.folder, self.mesh = folder, mesh
        self._channel = mesh.control_channel()
        self._stub = release_grpc.ReleaseServiceStub(self._channel)

    async def close(self) -> None:
        """Lets go of control."""
        await self._channel.close()

    def lean_channel(self) -> LoadChannel:
        """A cheap channel to the edge, of the operator of this machine."""
        proof = self.mesh.place.client_certificate("local")
        return LoadChannel(self.mesh.edge_port, self.mesh.roots, proof)

    def specify(self, name: str, service: str, fault: str, rules: str, *, seed: int = 1, candidate: str = "") -> str:
        """Writes a specification whose version is its name; `rules` are its steps and what follows, in TOML."""
        (self.folder / "releases" / f"{name}.toml").write_text(
            f'service = "{service}"\n[candidate]\nversion = "{name}"\n'
            f'command = ["python", "-m", "tests.candidates", "{service}"]\n{candidate}\n'
            f'environment = {{ {VARIABLE} = "{fault}", {SEED_VARIABLE} = "{seed}" }}\n{rules}'
        )
        return name

    async def start(self, name: str) -> release_pb2.Release:
        """Begins a release."""
        request = release_pb.StartReleaseRequest(request_id=str(uuid.uuid4()), name=name)
        return (await self._stub.StartRelease(request, timeout=CALL_S_MAX)).release

    async def promote(self, name: str) -> release_pb2.Release:
        """To the next step; returns when every proxy has it."""
        request = release_pb.PromoteReleaseRequest(request_id=str(uuid.uuid4()), release=name)
        return (await self._stub.PromoteRelease(request, timeout=CALL_S_MAX)).release

    async def abort(self, name: str) -> release_pb2.Release:
        """Back to the stable version; returns when every proxy has it."""
        request = release_pb.AbortReleaseRequest(request_id=str(uuid.uuid4()), release=name, comment="measured")
        return (await self._stub.AbortRelease(request, timeout=CALL_S_MAX)).release

    async def get(self, name: str) -> release_pb2.Release:
        """A release with everything."""
        return (await self._stub.GetRelease(release_pb.GetReleaseRequest(release=name), timeout=CALL_S_MAX)).release

    async def become(self, name: str, *phases: str, within_s: float = 120.0) -> release_pb2.Release:
        """Returns a release when it is in one of some phases.

        Raises:
            TimeoutError: it is not by then; the message says where it is.
            Ended: it is over otherwise.
        """
        end = time.monotonic() + within_s
        wanted = {release_pb2.ReleasePhase.Value(f"RELEASE_PHASE_{phase.upper()}") for phase in phases}
        while True:
            release = await self.get(name)
            if release.phase in wanted:
                return release
            where = release_pb2.ReleasePhase.Name(release.phase)
            if release.phase in OVER:
                raise Ended(f"{name} is {where}: {release.cause}")
            if time.monotonic() > end:
                raise TimeoutError(f"{name} is {where} and not {phases} after {within_s:g} s: {release.cause}")
            await asyncio.sleep(ASK_S)

    async def end(self, name: str) -> None:
        """Whatever it is doing, it is over when this returns."""
        with contextlib.suppress(grpc.aio.AioRpcError):
            await self.abort(name)
        await self.become(name, "aborted", "promoted")


def decided(release: release_pb2.Release, kind: str) -> Any:
    """The first decision of a kind; None without one."""
    wanted = release_pb2.ReleaseDecisionKind.Value(f"RELEASE_DECISION_KIND_{kind.upper()}")
    return next((d for d in release.decisions if d.kind == wanted), None)
