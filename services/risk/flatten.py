"""Closing out what a FLATTEN holds: slice by slice, all positions at once, until everything in scope is closed."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

from crossrate.api.common.v1 import gate_pb2
from crossrate.api.risk.v1 import kill_switch_pb2
from crossrate.rpc.client import CallError
from services.risk.certificates import Certificates
from services.risk.domain.pretrade.accounts import Book
from services.risk.kill_switch import KillSwitch
from services.risk.slices import Record, Slices, positions


class Flattener:
    """See the module. Made for one term.

    Args:
        interval_s: time between two looks at what is left.
    """

    def __init__(
        self,
        kills: KillSwitch,
        certificates: Certificates,
        book: Book,
        slices: Slices,
        note: Any,
        *,
        interval_s: float,
    ) -> None:
        self._kills = kills
        self._certificates = certificates
        self._book = book
        self._slices = slices
        self._note = note
        self._interval_s = interval_s

    async def run(self) -> None:
        """Closes what is to be closed, until it is cancelled."""
        while True:
            for kill in self._kills.kills:
                certificate = self._certificates.pending.get(kill.kill_id)
                if kill.mode != gate_pb2.KILL_MODE_FLATTEN or certificate is None:
                    continue
                if certificate.HasField("commit_time"):
                    await self.step(certificate)
            await asyncio.sleep(self._interval_s)

    async def step(self, certificate: kill_switch_pb2.KillCertificate) -> None:
        """One slice of every position in the scope of a kill that has none under way."""
        record = Record(
            "flatten",
            certificate.certificate_id[-12:],
            f"kill switch {certificate.certificate_id}",
            certificate.steps,
            partial(self._certificates.keep, certificate),
        )
        for held in positions(self._book, certificate.kill.scope):
            try:
                await self._slices.close(record, held)
            except CallError as error:
                self._note.warning(
                    "a position is not closed yet; trying again",
                    account=held.account,
                    instrument=held.instrument,
                    why=str(error),
                )
