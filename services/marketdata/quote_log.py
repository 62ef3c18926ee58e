"""The feed's log in JetStream: appended to by one writer at a time, read by every instance.

    writer ──append after n──▶ stream "quotes" ──in order──▶ reader of every instance ──▶ board

The stream itself fences the writer: an append names the number of the entry that it follows, and NATS refuses it if
another entry is there already (`Nats-Expected-Last-Subject-Sequence`). So there is no lease that could be held by two:
whoever has not read everything cannot write, whatever its clock says.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import nats.errors
import nats.js.errors
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

STREAM = "quotes"
SUBJECT_PREFIX = "crossrate.marketdata.v1.quotes_published."
TYPE = "crossrate.api.marketdata.v1.QuotesPublished"

APPEND_S_MAX = 2.0
_WRONG_LAST_SEQUENCE = 10071


class Fenced(Exception):
    """Another entry is where this one should have been: somebody else writes, or the log was lost."""


class LogUnavailable(Exception):
    """The log did not answer. Whether an entry was appended is not known."""


@dataclass(frozen=True, slots=True)
class LogEntry:
    """One entry: its number in the stream and its bytes, a QuotesPublished."""

    number: int
    payload: bytes


class QuoteLog:
    """The log of one feed."""

    def __init__(self, jetstream: JetStreamContext, feed: str) -> None:
        self._jetstream = jetstream
        self._subject = SUBJECT_PREFIX + feed

    async def last(self) -> int:
        """Number of the newest entry; 0 if there is none.

        Raises:
            LogUnavailable: the log did not answer.
        """
        try:
            message = await self._jetstream.get_last_msg(STREAM, self._subject)
        except nats.js.errors.NotFoundError:
            return 0
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise LogUnavailable(repr(error)) from error
        return message.seq or 0

    async def append(self, payload: bytes, after: int) -> int:
        """Appends one entry right after entry `after`, 0 for the first, and returns its number.

        Raises:
            Fenced: `after` is not the newest entry.
            LogUnavailable: it is not known whether the entry was appended.
        """
        headers = {"Nats-Expected-Last-Subject-Sequence": str(after), "Crossrate-Type": TYPE}
        try:
            done = await self._jetstream.publish(self._subject, payload, timeout=APPEND_S_MAX, headers=headers)
        except nats.js.errors.APIError as error:
            if error.err_code == _WRONG_LAST_SEQUENCE:
                raise Fenced(str(error.description)) from error
            raise LogUnavailable(repr(error)) from error
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise LogUnavailable(repr(error)) from error
        return done.seq

    async def read(self, start: int, silence_s_max: float) -> AsyncIterator[LogEntry]:
        """Entries in order from number `start` on (or the oldest that is left), until none came for `silence_s_max`.

        It then ends, and the caller reads on from where it was: that also heals a consumer that NATS forgot in a
        restart.

        Raises:
            LogUnavailable: the log did not answer.
        """
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=max(start, 1),
            ack_policy=AckPolicy.NONE,
            inactive_threshold=30.0,
            mem_storage=True,
        )
        try:
            subscription = await self._jetstream.subscribe(
                self._subject, stream=STREAM, config=config, ordered_consumer=True, pending_msgs_limit=65_536
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            raise LogUnavailable(repr(error)) from error
        try:
            while True:
                message = await subscription.next_msg(timeout=silence_s_max)
                yield LogEntry(message.metadata.sequence.stream, message.data)
        except (nats.errors.TimeoutError, TimeoutError):
            return
        except (nats.errors.Error, OSError) as error:
            raise LogUnavailable(repr(error)) from error
        finally:
            await _unsubscribe(subscription)


async def _unsubscribe(subscription: JetStreamContext.PushSubscription) -> None:
    """Ends a subscription; NATS forgets its consumer by itself."""
    try:
        await asyncio.wait_for(subscription.unsubscribe(), 1.0)
    except (nats.errors.Error, OSError, TimeoutError):
        return
