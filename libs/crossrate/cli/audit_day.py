"""The last step of the main job: all that was done stands in the log, signed and witnessed, and the log verifies."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from crossrate.client import AsyncClient
from crossrate.runtime.place import place
from crossrate.transparency.note import Verifier
from crossrate.transparency.verify import LogVerifier, Report
from crossrate.transparency.witness import CHECKPOINTS, read_witness

CATCH_UP_S_MAX = 20.0
"""How long the log may be behind the streams, and the witness behind the log."""
LOOK_S = 0.1


class NotVerified(ValueError):
    """The log is not what it promises to be."""


async def audited(client: AsyncClient) -> str:
    """Waits until the log has every fact and the witness its checkpoint, then checks the whole log here.

    Raises:
        NotVerified: it does not come to that.
    """
    status = await _caught_up(client)
    if status.alarms:
        raise NotVerified("; ".join(status.alarms))
    report = await _report(client)
    if not report.ok:
        raise NotVerified(f"{report.fault_count} faults, the first at {report.faults[0]}")
    signed = report.newest.size if report.newest else 0
    words = f"verified {report.leaves:,} facts of {report.streams} streams, checkpoint of {signed:,}"
    return f"{words}; the witness agrees with {report.witnessed} checkpoints"


async def _caught_up(client: AsyncClient) -> Any:
    end_s = time.monotonic() + CATCH_UP_S_MAX
    wanted: dict[str, int] = {}
    size = 0
    while True:
        status = await client.audit.GetAuditStatus()
        wanted = wanted or {each.stream: each.last for each in status.streams}
        if not size and all(each.position >= wanted[each.stream] for each in status.streams):
            size = status.size
        signed = status.checkpoint.size
        if status.alarms or (size and signed >= size and status.witness.size == signed):
            return status
        if time.monotonic() > end_s:
            behind = [each.stream for each in status.streams if each.position < wanted[each.stream]]
            words = f"streams behind: {', '.join(behind) or 'none'}; signed {signed} of {status.size}"
            raise NotVerified(
                f"{words}; the witness is at {status.witness.size} {status.witness.reason}; {status.error}"
            )
        await asyncio.sleep(LOOK_S)


async def _report(client: AsyncClient) -> Report:
    state = place().state
    key = Verifier.parse((state / "audit" / "1.pub").read_text())
    told, kept = read_witness(state / "witness" / CHECKPOINTS)
    verifier = LogVerifier([key], kept, Verifier.parse(told))
    ended = False
    async for answer in client.audit.ExportLog():
        match answer.WhichOneof("event"):
            case "header":
                verifier.header(answer.header)
            case "batch":
                for record in answer.batch.records:
                    verifier.record(record)
            case "end":
                ended = True
    if not ended:
        raise NotVerified("the export did not come to its end")
    return verifier.end()
