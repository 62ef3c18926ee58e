"""Halts and reopenings: reference's facts, applied to the catalogue of every instance.

Each instance follows them by itself, from where the stream ended before it loaded the instruments. What is heard is
applied at once; the stream is read besides, because what is only heard can be missed. Either may come first, twice or
late: a change counts once, by its version.
"""

from __future__ import annotations

import asyncio
from typing import Any

from google.protobuf.message import DecodeError
from nats.aio.msg import Msg

from crossrate.api.reference.v1 import reference_events_pb2 as pb
from crossrate.events.errors import EventsError
from crossrate.events.events import Events
from services.marketdata.catalogue import Catalogue
from services.marketdata.quote_log import pause

STREAM = "reference"
SUBJECT = "crossrate.reference.v1.instrument_status_changed.>"
READ_INTERVAL_S = 5.0


class StatusChanges:
    """One instance's reader of the instruments' status changes."""

    def __init__(self, events: Events, catalogue: Catalogue, note: Any) -> None:
        self._events = events
        self._catalogue = catalogue
        self._note = note
        self._position = 0

    async def begin(self) -> None:
        """Takes its place at the end of the stream. The instruments are loaded after this.

        Raises:
            EventsError: NATS did not answer.
        """
        await self._events.subscribe_core(SUBJECT, self._heard)
        self._position = (await self._events.stream_ends(STREAM)).last

    async def run(self, stopping: asyncio.Event) -> None:
        """Reads what was not heard, until the process stops."""
        while not await pause(stopping, READ_INTERVAL_S):
            try:
                async for event in self._events.replay(STREAM, self._position, subject=SUBJECT):
                    self._apply(event.payload)
                    self._position = event.sequence
            except EventsError as error:
                self._note.warning("status changes cannot be read; trying again", reason=str(error))

    async def _heard(self, message: Msg) -> None:
        self._apply(message.data)

    def _apply(self, payload: bytes) -> None:
        try:
            change = pb.InstrumentStatusChanged.FromString(payload)
        except DecodeError:
            self._note.error("a status change cannot be decoded; the next listing of instruments will have it")
            return
        if self._catalogue.take([change.instrument]):
            self._note.info("status changed", instrument=change.instrument.name, status=change.instrument.status)
