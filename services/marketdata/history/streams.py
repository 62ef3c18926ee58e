"""What clients ask of streams of bars and of replays, as those understand it."""

from __future__ import annotations

import time

import numpy as np

from crossrate.api.marketdata.v1 import bar_service_pb2, history_service_pb2
from crossrate.rpc import errors
from crossrate.rpc.values import seconds
from crossrate.ticks.periods import grid
from services.marketdata.history import bar_stream, queries, replay, tokens
from services.marketdata.history.asked import decoded, moment, rule_of
from services.marketdata.history.reader import View

HEARTBEAT_S = 5.0


def bars_wanted(request: bar_service_pb2.StreamBarsRequest, grace_ns: int) -> bar_stream.Wanted:
    """What StreamBars is asked for."""
    question = tokens.question(request, "start_time", "heartbeat_interval", "update_interval", "max_messages")
    body = decoded("resume_cursor", request.resume_cursor, question)
    now = time.time_ns()
    rule = rule_of(request, now - grace_ns)
    begin = now - grace_ns
    if request.HasField("start_time") and body is None:
        begin = moment("start_time", request.start_time)
        if begin > now:
            raise errors.invalid(errors.Violation("start_time", "it is in the future", "bars.start"))
    opens, closes = grid(rule.period, rule.session, begin, begin).spans(np.array([begin]))
    aligned = int(opens[0] if opens[0] == begin or not request.HasField("start_time") else closes[0])
    count = len(request.instruments)
    begins, numbers = (aligned,) * count, (0,) * count
    if body is not None:
        try:
            begins, numbers = bar_stream.unpacked(body, count)
        except ValueError as error:
            raise errors.invalid(errors.Violation("resume_cursor", str(error), "resume_cursor.unknown")) from error
    return bar_stream.Wanted(
        names=tuple(request.instruments),
        source=request.source,
        rule=rule,
        begin=begins,
        numbers=numbers,
        update_s=seconds(request.update_interval),
        heartbeat_s=seconds(request.heartbeat_interval) or HEARTBEAT_S,
        messages_max=request.max_messages,
        question=question,
    )


def replay_wanted(
    request: history_service_pb2.ReplayRequest, view: View, source_of: bar_stream.SourceOf, now: int
) -> replay.Wanted:
    """What Replay is asked for. Blocks."""
    question = tokens.question(request, "speed", "heartbeat_interval", "max_messages")
    body = decoded("resume_cursor", request.resume_cursor, question)
    start = moment("start_time", request.start_time)
    end = moment("end_time", request.end_time) if request.HasField("end_time") else now
    if start > end:
        raise errors.invalid(errors.Violation("end_time", "it is before start_time", "history.range"))
    found = {name: source_of(view, name, request.source) for name in request.instruments}
    return replay.Wanted(
        sources={name: source for name, source in found.items() if source is not None},
        start=start,
        end=end,
        speed=request.speed,
        resume=queries.cursor_of(body) if body is not None else None,
        heartbeat_s=seconds(request.heartbeat_interval) or HEARTBEAT_S,
        messages_max=request.max_messages,
        question=question,
    )
