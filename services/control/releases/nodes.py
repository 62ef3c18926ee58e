"""Control's way to the node, which starts and ends candidates: a release outlives control, so control starts nothing
itself."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services.control.releases.released import Candidate

ASK_S_MAX = 5.0
CHANGE_S_MAX = 400.0
"""Longest wait until instances were ended or replaced: eight of them, one after the other."""
LINE_BYTES_MAX = 1 << 20


class NodeError(Exception):
    """The node refused; its words."""


class NodeGone(NodeError):
    """The node does not answer."""

    def __init__(self, why: str) -> None:
        super().__init__(f"the node does not answer ({why}): releases need a mesh that was started by `crossrate up`")


@dataclass(frozen=True, slots=True)
class CandidateState:
    """One candidate as the node keeps it; `log` is the end of its log if it crashed, `rss_mib` its resident memory,
    `processor_s` the processor time that it has used since it began."""

    name: str
    state: str
    restarts: int
    detail: str
    log: str
    rss_mib: float = 0.0
    processor_s: float = 0.0

    @property
    def crashed(self) -> bool:
        """Whether it ended by itself, at least once."""
        return self.restarts > 0 or self.state == "failed"


@dataclass(frozen=True, slots=True)
class Running:
    """A service's candidates, and of its own instances, by name, the resident memory in MiB and the processor time in
    seconds; 0 of one that is not running. `read_s` is when the times were read, on the machine's monotonic clock; 0 if
    they were not."""

    candidates: tuple[CandidateState, ...] = ()
    stable_rss_mib: Mapping[str, float] = field(default_factory=dict)
    stable_processor_s: Mapping[str, float] = field(default_factory=dict)
    read_s: float = 0.0


def _instances(answer: Mapping[str, Any]) -> Running:
    return Running(
        tuple(CandidateState(**entry) for entry in answer["candidates"]),
        answer["stable_rss_mib"],
        # A node that is older than this control tells no times.
        answer.get("stable_processor_s", {}),
        answer.get("read_s", 0.0),
    )


def program_of(candidate: Candidate) -> dict[str, Any]:
    """A candidate's program as the node takes it."""
    return candidate.model_dump(mode="json", include={"version", "command", "folder", "environment"})


class Node:
    """Asks the node that listens on a socket. Each question is a connection of its own: they are few."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def _ask(self, timeout_s: float, **request: Any) -> Mapping[str, Any]:
        try:
            async with asyncio.timeout(timeout_s):
                reader, writer = await asyncio.open_unix_connection(self._socket, limit=LINE_BYTES_MAX)
                try:
                    writer.write(json.dumps(request).encode() + b"\n")
                    while line := await reader.readline():
                        answer = json.loads(line)
                        if "ok" in answer:
                            break
                    else:
                        raise NodeGone("it ended in the middle of an answer")
                finally:
                    writer.close()
        except TimeoutError:
            raise NodeGone(f"not within {timeout_s:g} s") from None
        except (OSError, ValueError) as error:
            raise NodeGone(str(error)) from None
        if not answer["ok"]:
            raise NodeError(answer["error"])
        return answer

    async def processes(self) -> list[Mapping[str, Any]]:
        """Every process that the node keeps, with what it takes.

        Raises:
            NodeGone: the node does not answer.
        """
        return list((await self._ask(ASK_S_MAX, verb="status"))["processes"])

    async def ensure(self, service: str, candidate: Candidate) -> Running:
        """Starts those of the candidate's instances that are not there.

        Raises:
            NodeError: it cannot be started.
        """
        program, instances = program_of(candidate), candidate.instances
        answer = await self._ask(CHANGE_S_MAX, verb="candidate", service=service, instances=instances, program=program)
        return _instances(answer)

    async def candidates(self, service: str) -> Running:
        """How a service's candidates do.

        Raises:
            NodeGone: the node does not answer.
        """
        answer = await self._ask(ASK_S_MAX, verb="candidates_of", service=service)
        return _instances(answer)

    async def end(self, service: str, keep: int = 0) -> None:
        """Ends a service's candidates, but for the first `keep` of them.

        Raises:
            NodeGone: the node does not answer.
        """
        await self._ask(CHANGE_S_MAX, verb="end_candidate", service=service, keep=keep)

    async def scale(self, service: str, instances: int) -> list[str]:
        """Has so many of a service's own instances run: starts those that are missing and waits until they serve, or
        ends those that are too many, as a restart ends them. Returns the names of those that run.

        Raises:
            NodeError: one that was started does not come up; the others go on.
        """
        answer = await self._ask(CHANGE_S_MAX, verb="scale", service=service, instances=instances)
        return list(answer["names"])

    async def promote(self, service: str, candidate: Candidate) -> list[str]:
        """Makes the candidate's program the service's own; returns the names of the instances.

        Raises:
            NodeError: a new instance does not come up; the service is what it was.
        """
        answer = await self._ask(CHANGE_S_MAX, verb="promote", service=service, program=program_of(candidate))
        return list(answer["names"])

    async def take_back(self, service: str, candidate: Candidate) -> list[str]:
        """Makes the program before the candidate's the service's own again, if the candidate's is; returns the names of
        the instances that were replaced.

        Raises:
            NodeError: an instance of the program before does not come up.
        """
        answer = await self._ask(CHANGE_S_MAX, verb="take_back", service=service, program=program_of(candidate))
        return list(answer["names"])
