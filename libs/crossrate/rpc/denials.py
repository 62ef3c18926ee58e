"""Calls that were refused for who made them, counted by method, caller, reason and place until somebody takes them.

A flood of refused calls becomes at most KINDS_MAX counts, and one for each method and reason beyond: who is refused
cannot choose how much is kept of it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from crossrate.api.audit.v1.audit_events_pb2 import DENIAL_PLACE_SERVICE, CallsDenied, DenialPlace
from crossrate.rpc.errors import ErrorReason

DENIED = frozenset(
    {
        ErrorReason.NO_IDENTITY,
        ErrorReason.TOKEN_REFUSED,
        ErrorReason.SESSION_REVOKED,
        ErrorReason.CALLER_NOT_ALLOWED,
        ErrorReason.STEP_UP_REQUIRED,
    }
)
"""Reasons that say who called. Calls that came too often or too many are counted by metrics alone."""
SERVICE = DENIAL_PLACE_SERVICE
KINDS_MAX = 256
"""Counts at once with a caller of their own."""
OTHERS = "*"
"""The caller of those beyond."""
ACTOR_CHARS_MAX = 200


@dataclass(slots=True)
class _Count:
    calls: int
    first_ns: int
    last_ns: int


class Denials:
    """Counts of refused calls since they were last taken.

    Args:
        clock_ns: ns since 1970.
    """

    def __init__(self, clock_ns: Callable[[], int] = time.time_ns) -> None:
        self._clock_ns = clock_ns
        self._counts: dict[tuple[str, str, ErrorReason, DenialPlace], _Count] = {}

    def __len__(self) -> int:
        return len(self._counts)

    def note(self, method: str, actor: str, reason: ErrorReason, place: DenialPlace, time_ns: int = 0) -> None:
        """Counts a call.

        Args:
            method: without the slash before it; "" for a path that is no method's.
            actor: who called, as far as it was proved; "" for nobody.
            time_ns: when, ns since 1970; 0 for now.
        """
        time_ns = time_ns or self._clock_ns()
        kind = method, actor[:ACTOR_CHARS_MAX], reason, place
        count = self._counts.get(kind)
        if count is None and len(self._counts) >= KINDS_MAX:
            kind = method, OTHERS, reason, place
            count = self._counts.get(kind)
        if count is None:
            self._counts[kind] = _Count(1, time_ns, time_ns)
            return
        count.calls += 1
        count.first_ns = min(count.first_ns, time_ns)
        count.last_ns = max(count.last_ns, time_ns)

    def take(self) -> list[CallsDenied]:
        """Everything counted, as facts; begins anew."""
        counts, self._counts = self._counts, {}
        facts = []
        for (method, actor, reason, place), count in counts.items():
            fact = CallsDenied(method=method, actor=actor, reason=reason.name, count=count.calls, place=place)
            fact.first_time.FromNanoseconds(count.first_ns)
            fact.last_time.FromNanoseconds(count.last_ns)
            facts.append(fact)
        return facts
