"""`crossrate data replay`: a dataset's quotes from marketdata.Replay, printed as they come."""

from __future__ import annotations

import asyncio
import shlex
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from crossrate.cli import reach, show
from crossrate.cli.data_calls import call
from crossrate.cli.requests import as_dict
from crossrate.cli.show import CommandError

INSTANCE = "marketdata-1"
INSTRUMENTS_MAX = 50
AWAY_S_MAX = 60.0
"""How long marketdata may be away, as in a restart."""
GONE = ("UNAVAILABLE", "CANCELLED", "UNKNOWN", "INTERNAL", "DEADLINE_EXCEEDED")


@dataclass(frozen=True, slots=True)
class Asked:
    """What to play."""

    dataset: str
    instruments: tuple[str, ...]
    speed: float
    start: str
    end: str
    resume: str
    max_messages: int


def replay(asked: Asked, *, as_json: bool) -> None:
    """Plays quotes until their end, or until Ctrl-C."""
    request = _request(asked)
    try:
        asyncio.run(_played(request, _json if as_json else _lines()))
    except KeyboardInterrupt:
        if request.resume_cursor:
            show.note(f"go on with: {onward(asked, request)}")
        raise


def onward(asked: Asked, request: Any) -> str:
    """The command that goes on where a replay was interrupted."""
    parts = ["crossrate", "data", "replay", asked.dataset]
    parts += [f"--instrument={each}" for each in request.instruments]
    parts += [f"--from={request.start_time.ToJsonString()}", f"--to={request.end_time.ToJsonString()}"]
    parts += [f"--speed={asked.speed:g}", f"--resume={request.resume_cursor}"]
    return shlex.join(parts)


def _request(asked: Asked) -> Any:
    from crossrate.api.marketdata.v1 import history_service_pb2 as pb
    from crossrate.api.pipeline.v1 import dataset_pb2

    found = call("GetDataset", dataset=asked.dataset).dataset
    if found.kind == dataset_pb2.DATASET_KIND_BARS:
        raise CommandError(f"{found.name} has bars, and a replay gives quotes", "ask QueryBars for them")
    unknown = [each for each in asked.instruments if each not in found.instruments]
    if unknown:
        raise CommandError(f"{found.name} has no quotes of {unknown[0]}", f"it has {', '.join(found.instruments)}")
    names = asked.instruments or tuple(found.instruments)
    if len(names) > INSTRUMENTS_MAX:
        raise CommandError(f"{found.name} has {len(names)} instruments", f"choose up to {INSTRUMENTS_MAX} with -i")
    request = pb.ReplayRequest(instruments=names, source=found.venue, speed=asked.speed, resume_cursor=asked.resume)
    request.max_messages = asked.max_messages
    request.start_time.CopyFrom(found.first_time)
    request.end_time.FromNanoseconds(found.last_time.ToNanoseconds() + 1)
    for option, text, field in (("--from", asked.start, request.start_time), ("--to", asked.end, request.end_time)):
        if text:
            field.FromNanoseconds(_moment(option, text))
    return request


def _moment(option: str, text: str) -> int:
    """Nanoseconds since 1970 UTC of a time; one without a zone is in UTC."""
    from google.protobuf.timestamp_pb2 import Timestamp

    try:
        exact = Timestamp()
        exact.FromJsonString(text)
        return exact.ToNanoseconds()
    except ValueError:
        pass
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{option}: {text!r} is no time", "write it as 2014-05-05T10:00, UTC") from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return int(found.timestamp()) * 10**9 + found.microsecond * 1000


async def _played(request: Any, told: Callable[[Any], None]) -> None:
    """Every message until the end; a server that goes away meanwhile is waited for, and asked for what follows."""
    lost = 0.0
    left = request.max_messages or None
    while True:
        try:
            async for message in _messages(request):
                lost = 0.0
                kind = message.WhichOneof("event")
                if kind == "error":
                    raise CommandError(message.error.message)
                if kind == "quotes":
                    told(message)
                    left = None if left is None else left - 1
                request.resume_cursor = message.position.cursor or request.resume_cursor
                if left == 0 or (kind == "end" and _complete(message)):
                    return
                request.max_messages = left or 0
        except Exception as error:
            gone = hasattr(error, "violations") and error.code().name in GONE
            away = isinstance(error, CommandError) and lost > 0
            if not (gone or away):
                raise
            lost = lost or time.monotonic()
            if time.monotonic() - lost > AWAY_S_MAX:
                raise
            await asyncio.sleep(0.5)


def _complete(message: Any) -> bool:
    from crossrate.api.common.v1 import stream_pb2

    return message.end.reason == stream_pb2.STREAM_END_REASON_COMPLETE


async def _messages(request: Any) -> Any:
    from crossrate.api.marketdata.v1.history_service_pb2_grpc import HistoryServiceStub

    async with reach.instance(INSTANCE) as channel:
        async for message in HistoryServiceStub(channel).Replay(request):
            yield message


def _json(message: Any) -> None:
    show.line({"cursor": message.position.cursor, "quotes": [as_dict(each) for each in message.quotes.quotes]})


def _lines() -> Callable[[Any], None]:
    """Quote by quote, a line each."""
    from crossrate.api.marketdata.v1 import quote_pb2

    names = {number: name.removeprefix("QUOTE_HEALTH_") for name, number in quote_pb2.QuoteHealth.items()}

    def told(message: Any) -> None:
        lines = []
        for each in message.quotes.quotes:
            when = each.venue_time.ToDatetime().isoformat(" ", "milliseconds")
            health = "" if each.health == quote_pb2.QUOTE_HEALTH_LIVE else names.get(each.health, "")
            lines.append(f"{when}  {each.instrument:<8} {each.bid:>12.10g} {each.ask:>12.10g}  {each.source} {health}")
        print("\n".join(line.rstrip() for line in lines), flush=True)

    return told
