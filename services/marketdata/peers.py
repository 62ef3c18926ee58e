"""What marketdata asks of reference: instruments, and whether their sessions are open."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any

import grpc

from crossrate.api.reference.v1 import reference_service_pb2 as pb
from crossrate.api.reference.v1 import reference_service_pb2_grpc as pb_grpc
from services.marketdata.catalogue import Catalogue, Listed
from services.marketdata.quote_log import pause

PAGE_SIZE = 1_000
PAGES_MAX = 100
RETRY_S_MIN = 0.2
RETRY_S_MAX = 5.0
REFRESH_S = 300.0
"""Instruments are asked for anew this often: events tell of changes at once, this finds what no event told."""
SESSION_S_MAX = 3_600.0
"""Sessions are asked about at least this often, however far their next boundary is."""

WANTED_S = 1.0
"""Whether a feed brought another instrument is looked at this often."""


class Reference:
    """The reference service, seen from here."""

    def __init__(self, channel: grpc.aio.Channel, catalogue: Catalogue, note: Any) -> None:
        self._stub = pb_grpc.ReferenceServiceStub(channel)
        self._catalogue = catalogue
        self._note = note

    async def keep_instruments(self, stopping: asyncio.Event) -> None:
        """Loads the instruments as soon as reference answers, and again from time to time, until the process stops."""
        retry_s = RETRY_S_MIN
        while not stopping.is_set():
            try:
                await self._load()
                wait_s, retry_s = REFRESH_S, RETRY_S_MIN
            except grpc.RpcError as error:
                self._note.warning("reference does not list instruments; trying again", reason=_words(error))
                wait_s, retry_s = retry_s, min(retry_s * 2, RETRY_S_MAX)
            await pause(stopping, wait_s)

    async def _load(self) -> None:
        token = ""
        for _ in range(PAGES_MAX):
            answer = await self._stub.ListInstruments(pb.ListInstrumentsRequest(page_size=PAGE_SIZE, page_token=token))
            self._catalogue.take(answer.instruments)
            token = answer.next_page_token
            if not token:
                break
        if not self._catalogue.loaded:
            self._note.info("instruments loaded", count=len(self._catalogue), direct=len(self._catalogue.direct()))
        self._catalogue.ready.set()

    async def keep_sessions(self, stopping: asyncio.Event) -> None:
        """Opens and closes instruments with their trading sessions, until the process stops."""
        while not stopping.is_set():
            wanted = self._catalogue.wanted
            boundary_s = SESSION_S_MAX if self._catalogue.loaded else RETRY_S_MIN
            try:
                for listed in self._catalogue.dealt():
                    boundary_s = min(boundary_s, await self._session(listed))
            except grpc.RpcError as error:
                self._note.warning("reference does not tell sessions; trying again", reason=_words(error))
                boundary_s = RETRY_S_MAX
            # A feed may bring an instrument whose session nobody has asked about yet.
            while boundary_s > 0 and wanted == self._catalogue.wanted:
                if await pause(stopping, min(boundary_s, WANTED_S)):
                    return
                boundary_s -= WANTED_S

    async def _session(self, listed: Listed) -> float:
        """Applies an instrument's session and returns the seconds until it changes."""
        now = dt.datetime.now(dt.UTC)
        request = pb.GetTradingSessionRequest(base=listed.base, counter=listed.counter)
        request.at_time.FromDatetime(now)
        session = (await self._stub.GetTradingSession(request)).session
        self._catalogue.set_open(listed.name, session.open)
        boundary = session.close_time if session.open else session.next_open_time
        # A little later than the boundary, so that the next question falls behind it.
        return max((boundary.ToDatetime(dt.UTC) - now).total_seconds(), 0.0) + 0.05


def _words(error: grpc.RpcError) -> str:
    """A failure in words."""
    return f"{error.code().name}: {error.details()}" if isinstance(error, grpc.aio.AioRpcError) else repr(error)
