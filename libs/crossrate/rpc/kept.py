"""Calls that have ended, kept for a while so that somebody can ask what became of one.

Kept is the call itself, which holds neither its request nor its answer nor a token: an append for each, and words are
made of it when somebody asks. All of the newest are kept, failed and slow ones for longer, and of the others a sample
by request id, so that of a sampled call every hop is kept.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from crossrate.rpc.call import Call

NEWEST_MAX = 512
"""All calls, whatever became of them."""
NOTABLE_MAX = 1024
"""Calls that failed, or took longer than SLOW_S."""
SAMPLED_MAX = 512
"""Of the others those whose request id ends with SAMPLED: one of 256, where ids are random."""
SLOW_S = 0.5
SAMPLED = "00"
FOUND_MAX = 64
"""Calls under one request id that are told: a client may use one for any number."""


class Kept:
    """The calls of one instance."""

    def __init__(self) -> None:
        self._newest: deque[Call] = deque(maxlen=NEWEST_MAX)
        self._append = self._newest.append
        self._notable: deque[Call] = deque(maxlen=NOTABLE_MAX)
        self._sampled: deque[Call] = deque(maxlen=SAMPLED_MAX)

    def add(self, call: Call) -> None:
        """Keeps a call that has ended. That a stream lives long makes it neither slow nor notable."""
        self._append(call)
        if call.code or (call.elapsed_s > SLOW_S and not call.method.server_streaming):
            self._notable.append(call)
        elif (known := call.given_id) is not None and known[-2:] == SAMPLED:
            self._sampled.append(call)

    def find(self, request_id: str, under_way: Iterable[Call]) -> list[Call]:
        """The calls under a request id in order of arrival, at most FOUND_MAX.

        Args:
            under_way: calls that have not ended.
        """
        everything = {id(c): c for calls in (self._newest, self._notable, self._sampled, under_way) for c in calls}
        found = [call for call in everything.values() if call.request_id == request_id]
        return sorted(found, key=lambda call: call.begun)[:FOUND_MAX]

    @property
    def all_since(self) -> float | None:
        """Since when every call is kept, on the clock of `time.monotonic`; None while none was forgotten."""
        return _end(self._newest)

    @property
    def notable_since(self) -> float | None:
        """The same of failed and slow calls: whichever of the two keeps them for longer."""
        newest, notable = _end(self._newest), _end(self._notable)
        return None if newest is None or notable is None else min(newest, notable)


def _end(calls: deque[Call]) -> float | None:
    """When the oldest of a full ring ended: those that ended later are all there."""
    if len(calls) < (calls.maxlen or 0):
        return None
    return calls[0].begun + calls[0].elapsed_s
