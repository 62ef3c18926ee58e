"""Many messages at once: how many are on their way to a stream, and those that one read of a stream brings."""

from __future__ import annotations

import asyncio
import datetime
from collections.abc import Sequence

from nats.aio.msg import Msg

from crossrate.events.envelope import Event, Message
from crossrate.events.errors import EventsUnavailable

IN_FLIGHT_MAX = 128
IN_FLIGHT_BYTES_MAX = 2_097_152
"""What `publish_in_order` has on its way before it waits for an acknowledgement."""


def part_of(messages: Sequence[Message], first: int) -> Sequence[Message]:
    """Messages from the first on that may be on their way at once, at least one."""
    end, size = first, 0
    while end < min(len(messages), first + IN_FLIGHT_MAX):
        size += len(messages[end].payload)
        if end > first and size > IN_FLIGHT_BYTES_MAX:
            break
        end += 1
    return messages[first:end]


async def collect(stream: str, answers: asyncio.Queue[Msg]) -> list[Event]:
    """The messages of one batch, up to the server's mark of its end."""
    events: list[Event] = []
    while True:
        answer = await answers.get()
        status = (answer.headers or {}).get("Status")
        if status in ("204", "404"):
            return events
        if status == "503":
            raise EventsUnavailable(f"stream {stream!r} is not there, or this service may not read it")
        if status:
            raise EventsUnavailable(f"stream {stream!r}: JetStream answered {status}")
        event = event_of(stream, answer)
        if events and event.sequence <= events[-1].sequence:
            raise EventsUnavailable(f"stream {stream!r}: messages came out of order")
        events.append(event)


def event_of(stream: str, answer: Msg) -> Event:
    """A message of a stream as JetStream hands it out."""
    headers = dict(answer.headers or {})
    sequence, subject = int(headers.pop("Nats-Sequence")), headers.pop("Nats-Subject")
    stored = headers.pop("Nats-Time-Stamp")
    for name in ("Nats-Stream", "Nats-Num-Pending", "Nats-Last-Sequence"):
        headers.pop(name, None)
    # RFC 3339 with nanoseconds; datetime keeps six digits.
    whole, _, fraction = stored.rstrip("Z").partition(".")
    time = datetime.datetime.fromisoformat(f"{whole}.{fraction[:6]:0<6}+00:00")
    return Event(stream, sequence, subject, answer.data, time, headers)
