"""Streams of both versions, opened at the same moment with the client's request and compared message by message.

The client's own stream is not taken part in: its messages began earlier than the candidate's ever could. What is opened
lasts for some seconds; messages are paired by their cursors.
"""

from __future__ import annotations

import asyncio

from google.protobuf.message import Message

from crossrate.compare.difference import Difference
from crossrate.compare.message import Comparator
from crossrate.compare.pips import pip_of
from crossrate.compare.stream import StreamComparison
from crossrate.rpc.mirror import Mirrored
from services.control.shadow.asking import Answer, Asking, kind_of
from services.control.shadow.comparing import MethodComparison, differences_of
from services.control.shadow.drifting import Drift

STREAM_S = 5.0
"""How long streams are compared."""
MESSAGES_MAX = 500
"""Messages of each that are."""


class _Watching(Comparator):
    """Gives what it compares to the drift of prices as well."""

    def __init__(self, drift: Drift) -> None:
        super().__init__(pip_of)
        self._drift = drift

    def compare(self, stable: Message, candidate: Message, instrument: str = "") -> list[Difference]:
        """See Comparator."""
        if self._drift:
            self._drift.observe(stable, candidate, instrument)
        return super().compare(stable, candidate, instrument)


async def compare_streams(
    asking: Asking, comparison: MethodComparison, call: Mirrored, sockets: tuple[str, str, str]
) -> None:
    """Compares a stream of the candidate with one of stable, and that with a second of stable.

    Args:
        sockets: stable's, the candidate's, and that of the second answer; "" for none.
    """
    contract, comparator = comparison.contract, Comparator(pip_of)
    kind = kind_of(contract, answer=True)
    instrument = comparison.instrument(call.request)
    main = StreamComparison(_Watching(comparison.drift), instrument=instrument)
    noise = StreamComparison(comparator, instrument=instrument)

    def told(found: list[Difference] | None, *, of_noise: bool) -> None:
        if found is not None:
            candidate, itself = (None, found) if of_noise else (found, None)
            comparison.observe(call.request_id, candidate, itself)

    def stable(data: bytes) -> None:
        message = kind.FromString(data)
        told(main.stable(message), of_noise=False)
        if sockets[2]:
            told(noise.stable(message), of_noise=True)

    def candidate(data: bytes) -> None:
        told(main.candidate(kind.FromString(data)), of_noise=False)

    def again(data: bytes) -> None:
        told(noise.candidate(kind.FromString(data)), of_noise=True)

    takers = [each for each in zip(sockets, (stable, candidate, again), strict=True) if each[0]]
    bounds = (STREAM_S, MESSAGES_MAX)
    ends: list[Answer] = await asyncio.gather(
        *(
            asking.stream(socket, contract, call.request, call.headers, call.request_id, take, bounds)
            for socket, take in takers
        )
    )
    if not ends[0].settled or not ends[-1].settled:
        comparison.skipped += 1
        return
    for found, of_noise in ((main.finish(), False), (noise.finish(), True)):
        if found:
            told(found, of_noise=of_noise)
    if any(end.failure is not None for end in ends):
        found = differences_of(comparator, contract, instrument, ends[0], ends[1])
        itself = differences_of(comparator, contract, instrument, ends[0], ends[2]) if sockets[2] else None
        comparison.observe(call.request_id, found, itself)
