"""Calls that may be repeated once more where few come: the newest of each method, bounded in number and bytes."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from crossrate.rpc.mirror import Mirrored
from services.control.shadow.asking import expires_at

PER_METHOD_MAX = 64
RECORD_BYTES_MAX = 16 << 20
LEFT_S_MIN = 5.0
"""A token that lives shorter than this may be refused on the way."""


@dataclass(frozen=True, slots=True)
class _Entry:
    call: Mirrored
    expires: float


class Record:
    """Requests of methods without side effects, as they came."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._calls: dict[str, deque[_Entry]] = {}
        self._turns: deque[str] = deque()
        self.size = 0
        """Bytes of all requests."""

    def keep(self, call: Mirrored) -> None:
        """Records a call; the oldest of its method makes room, then that of the others."""
        kept = self._calls.get(call.path)
        if kept is None:
            kept = self._calls[call.path] = deque()
            self._turns.append(call.path)
        kept.append(_Entry(call, expires_at(call.headers)))
        self.size += len(call.request)
        if len(kept) > PER_METHOD_MAX:
            self._drop(kept)
        while self.size > RECORD_BYTES_MAX:
            self._drop(max(self._calls.values(), key=len))

    def _drop(self, kept: deque[_Entry]) -> None:
        self.size -= len(kept.popleft().call.request)

    def next(self) -> Mirrored | None:
        """The call that is repeated next: methods in turn, of each the one that waits longest; None without any whose
        caller's token is still good."""
        for _ in range(len(self._turns)):
            path = self._turns[0]
            self._turns.rotate(-1)
            kept = self._calls[path]
            while kept and kept[0].expires < self._clock() + LEFT_S_MIN:
                self._drop(kept)
            if kept:
                kept.rotate(-1)
                return kept[-1].call
        return None

    def forget(self, call: Mirrored) -> None:
        """Lets go of a call that is refused now."""
        kept = self._calls.get(call.path, deque())
        for entry in [each for each in kept if each.call is call]:
            kept.remove(entry)
            self.size -= len(call.request)
