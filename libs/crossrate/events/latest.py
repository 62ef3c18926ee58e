"""Listening that begins with the last value: the newest message of each subject first, then each as it comes."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable

import nats.errors
from nats.aio.msg import Msg
from nats.aio.subscription import Subscription

from crossrate.events.errors import EventsUnavailable
from crossrate.events.events import Events

KEPT_MAX = 65_536
"""Messages that may come while the last values are read; beyond it the oldest of them are forgotten."""


async def subscribe_latest(
    events: Events, stream: str, subject: str, callback: Callable[[str, bytes], Awaitable[None]]
) -> Subscription:
    """Calls back with subject and payload: the newest message that each subject has, then every one that comes.

    For a stream of the topology that is `latest_only`, which the service `consumes`. For no subject does the order go
    back; a message may come twice, once as the last value and once by itself. When it returns, all last values have
    been told.

    Args:
        stream: the stream that keeps the last values.
        subject: one of its subjects; wildcards are allowed.

    Raises:
        EventsUnavailable: NATS did not answer in time, or this service may not read the stream.
    """
    kept: deque[Msg] | None = deque(maxlen=KEPT_MAX)
    come = 0
    more = asyncio.Event()

    async def message(msg: Msg) -> None:
        nonlocal come
        come += 1
        more.set()
        if kept is None:
            await callback(msg.subject, msg.data)
        else:
            kept.append(msg)

    try:
        subscription = await events.subscribe_core(subject, message)
    except (nats.errors.Error, OSError) as error:
        raise EventsUnavailable(f"{subject}: {error!r}") from error
    try:
        stored = [event async for event in events.replay(stream, subject=subject)]
        # What the connection brought before the last of these may still wait for its turn, and is older.
        last = come + subscription.pending_msgs
        while come < last:
            more.clear()
            await more.wait()
        newer = {msg.subject for msg in kept}
        for event in stored:
            if event.subject not in newer:
                await callback(event.subject, event.payload)
        while kept:
            msg = kept.popleft()
            await callback(msg.subject, msg.data)
        kept = None
    except BaseException:
        with contextlib.suppress(nats.errors.Error, OSError):
            await subscription.unsubscribe()
        raise
    return subscription
