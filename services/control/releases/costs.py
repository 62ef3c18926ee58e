"""What a call takes of the processor, the candidate's beside the stable version's in the same seconds.

The node reads each process's time, the proxies' log has the calls. At each look both versions' time since the last
is divided by the unary calls that ended meanwhile. What a process takes without calls is taken off first: the median
of the candidate's seconds without any, most of them before its first calls. Of stable only what was seen in such
seconds is taken off, and no more than of the candidate; where it always has calls it keeps that part. Both can only
spare the candidate.

Left out are the first SETTLE_S of calls, as caches fill and code warms up; spans with few calls, until there are
CALLS_MIN of each version; those in which an instance of the candidate has less than LIKE of the calls that one of
stable has: a process that wakes up for each call takes several times what one takes that finds many; those in which
what is taken off would be more than a call costs stable, where an error in it would decide; and those in which the
candidate's streams sent more messages a call than stable's, as these cost too.
"""

from __future__ import annotations

import statistics
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.control.releases.calls import Ended
from services.control.releases.nodes import Running

SETTLE_S = 10.0
CALLS_MIN = 20
"""Calls of each version that a pair has at least."""
LIKE = 0.5
"""Calls of an instance of the candidate that are alike, as a share of those of one of stable."""
SPAN_S_MAX = 10.0
"""A span that has fewer after so long is left out."""
IDLE_S = 0.2
"""How often time is looked at before the first calls."""
IDLE_MIN, IDLE_KEPT = 2, 30
"""How many spans without calls have to be seen, and how many count: the newest."""
RESTED = 6
"""So many of them are waited for before the first calls."""
READ_S_MIN = 0.3
"""Times that were read closer together are of one span."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What a call took of both versions in the same span, in milliseconds of a processor, and how many there were."""

    candidate_ms: float
    stable_ms: float
    candidate_calls: int
    stable_calls: int


@dataclass(frozen=True, slots=True)
class _Read:
    """Times that processes had used, in seconds: by version (the candidate is True) and name."""

    read_s: float
    used_s: Mapping[bool, Mapping[str, float]]

    def since(self, before: _Read, candidate: bool) -> float | None:
        """What a version has used since; None if its processes are not the same."""
        now, then = self.used_s[candidate], before.used_s[candidate]
        # A process that was replaced has used less, or nothing.
        if not now or now.keys() != then.keys() or any(not then[name] or now[name] < then[name] for name in now):
            return None
        return sum(now.values()) - sum(then.values())


@dataclass(slots=True)
class _Span:
    """Some seconds, by version: what was used beyond the idle use, calls, messages of streams."""

    seconds: float = 0.0
    used_s: dict[bool, float] = field(default_factory=lambda: {False: 0.0, True: 0.0})
    idle_s: dict[bool, float] = field(default_factory=lambda: {False: 0.0, True: 0.0})
    calls: Counter[bool] = field(default_factory=Counter)
    sent: Counter[bool] = field(default_factory=Counter)


class CallCosts:
    """The pairs of one release.

    Args:
        is_unary: whether a method, by its path, has one request and one answer.
        streams: whether the service has streams, so that it has to be known what those send.
    """

    def __init__(self, is_unary: Callable[[str], bool], streams: bool) -> None:
        self._is_unary, self._streams = is_unary, streams
        self._newest: _Read | None = None
        self._quiet: _Read | None = None
        self._before: _Read | None = None
        self._began = False
        self._calls: Counter[bool] = Counter()
        self._sent_now: Mapping[str, int] = {}
        self._sent_before: Mapping[str, int] = {}
        self._idle = {side: deque[float](maxlen=IDLE_KEPT) for side in (False, True)}
        self._waiting: dict[bool, float | None] = {False: None, True: None}
        self._settled_s: float | None = None
        self._span = _Span()
        self._stable = [0.0, 0]
        self.left_out = "the node has told no processor time yet"
        """Why the last span was not compared; empty if it was."""

    def read(self, seen: Running) -> None:
        """Takes what the node has read, each time that it did; the instances take calls, or are about to."""
        if not seen.read_s:
            return
        candidates = {state.name: state.processor_s for state in seen.candidates}
        now = self._newest = _Read(seen.read_s, {True: candidates, False: dict(seen.stable_processor_s)})
        if self._began:
            return
        used_s = None if self._quiet is None else now.since(self._quiet, True)
        if self._quiet is None or used_s is None:
            self._quiet = now
        elif (took_s := now.read_s - self._quiet.read_s) >= IDLE_S:
            self._idle[True].append(used_s / took_s / len(candidates))
            self._quiet = now

    def rest(self) -> None:
        """What it has taken so far was for its start and the gate; from now on it is left alone."""
        self._idle[True].clear()
        self._quiet = None

    @property
    def rested(self) -> bool:
        """Whether it was left alone for long enough."""
        return len(self._idle[True]) >= RESTED

    def busy(self) -> None:
        """From now on it has work of which the log of calls knows nothing, until the first look."""
        self._began = True

    def streamed(self, sent: Mapping[str, int]) -> None:
        """Takes how many messages the streams of each instance have sent since it began; who does not tell is left
        out."""
        self._sent_now = sent

    def look(self, ended: Iterable[Ended]) -> Cost | None:
        """Takes the calls that ended since the last look; the pair of a span that is complete."""
        self._began = True
        self._calls.update(call.candidate for call in ended if self._is_unary(call.method))
        before, now = self._before, self._newest
        if now is None or (before is not None and now.read_s - before.read_s < READ_S_MIN):
            return None
        calls, self._calls, self._before = self._calls, Counter(), now
        sent = self._sent(now)
        self._sent_before = self._sent_now
        if before is None:
            return None
        used_s = {side: now.since(before, side) for side in (False, True)}
        if used_s[True] is None or used_s[False] is None:
            self._settled_s = None if used_s[True] is None else self._settled_s
            self._waiting = {False: None, True: None}
            return self._leave_out("instances have come or gone")
        seconds = now.read_s - before.read_s
        for side in (False, True):
            quiet = not calls[side] and (side or not self._streams or (sent is not None and not sent[side]))
            self._rest(side, used_s[side] / seconds / len(now.used_s[side]) if quiet else None)
        if not self._settles(now.read_s, calls[True]):
            return self._leave_out("its calls have only begun" if calls[True] else "it has no calls")
        if self._streams and sent is None:
            return self._leave_out("an instance does not tell what its streams send")
        return self._add(now, seconds, {s: used_s[s] or 0.0 for s in used_s}, calls, sent or Counter())

    def _sent(self, now: _Read) -> Counter[bool] | None:
        """Messages of streams since the last look; None if an instance does not tell."""
        sent: Counter[bool] = Counter()
        for side, names in now.used_s.items():
            for name in names:
                then, count = self._sent_before.get(name), self._sent_now.get(name)
                if then is None or count is None or count < then:
                    return None
                sent[side] += count - then
        return sent

    def _rest(self, side: bool, rate: float | None) -> None:
        """Takes what an instance used a second without calls; it counts if the log has none in the next look either:
        it comes a moment after the calls."""
        if rate is not None and (waiting := self._waiting[side]) is not None:
            self._idle[side].append(waiting)
        self._waiting[side] = rate

    def _settles(self, now_s: float, calls: int) -> bool:
        if self._settled_s is None and calls:
            self._settled_s = now_s + SETTLE_S
        return self._settled_s is not None and now_s > self._settled_s

    def _leave_out(self, why: str) -> None:
        self._span, self.left_out = _Span(), why

    def _add(
        self, now: _Read, seconds: float, used_s: Mapping[bool, float], calls: Counter[bool], sent: Counter[bool]
    ) -> Cost | None:
        if len(self._idle[True]) < IDLE_MIN:
            return self._leave_out("what it takes without calls has not been seen yet")
        span = self._span
        span.seconds += seconds
        for side in (False, True):
            idle_s = self._idle_rate(side) * len(now.used_s[side]) * seconds
            span.idle_s[side] += idle_s
            span.used_s[side] += used_s[side] - idle_s
        span.calls += calls
        span.sent += sent
        if min(span.calls[False], span.calls[True]) >= CALLS_MIN:
            return self._pair(span, {side: span.calls[side] / span.seconds / len(now.used_s[side]) for side in used_s})
        if span.seconds > SPAN_S_MAX:
            return self._leave_out(f"a version has fewer than {CALLS_MIN} calls in {SPAN_S_MAX:g} s")
        return None

    def _idle_rate(self, side: bool) -> float:
        """What an instance uses a second without calls, in seconds."""
        rates = [statistics.median(self._idle[s]) for s in (True, side) if len(self._idle[s]) >= IDLE_MIN]
        # Seconds of which the log has no calls, as it was lost, must not make stable's calls look cheap.
        return rates[0] if side else min(rates) if len(rates) == 2 else 0.0

    def _pair(self, span: _Span, per_s: Mapping[bool, float]) -> Cost | None:
        calls, self._span = span.calls, _Span()
        if per_s[True] < LIKE * per_s[False]:
            return self._leave_out(
                f"an instance of it has {per_s[True]:.3g} calls a second, one of stable {per_s[False]:.3g}: "
                "what a call takes is compared from half as many on"
            )
        if span.sent[True] * calls[False] > span.sent[False] * calls[True]:
            return self._leave_out("its streams send more messages a call than those of the stable version")
        stable_ms = max(0.0, 1000 * span.used_s[False] / calls[False])
        usual_ms = self._stable[0] / self._stable[1] if self._stable[1] else stable_ms
        self._stable = [self._stable[0] + stable_ms, self._stable[1] + 1]
        idle_ms = 1000 * span.idle_s[True] / calls[True]
        if idle_ms > usual_ms:
            return self._leave_out(
                f"what it takes without calls is {idle_ms:.3g} ms for each that it has, more than the "
                f"{usual_ms:.3g} ms of one of stable's"
            )
        self.left_out = ""
        return Cost(1000 * span.used_s[True] / calls[True], stable_ms, calls[True], calls[False])

    def state(self) -> dict[str, Any]:
        """What was seen of the time without calls, and of stable's calls, for `restore`."""
        return {"idle": [list(self._idle[False]), list(self._idle[True])], "stable": list(self._stable)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Goes on from what `state` gave: candidates have calls already, and are not seen without them again.

        Raises:
            KeyError, TypeError, ValueError: it is no such state.
        """
        stable, candidate = ([float(rate) for rate in rates] for rates in state["idle"])
        total, count = state["stable"]
        self._stable, self._began = [float(total), int(count)], True
        self._idle[False].extend(stable)
        self._idle[True].extend(candidate)
