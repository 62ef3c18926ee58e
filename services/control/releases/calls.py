"""What is seen of a release's calls: counts, codes and times by method and version, from the proxies' log of calls."""

from __future__ import annotations

import math
import re
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from crossrate.rpc.contract import contracts
from crossrate.rpc.release_mark import RELEASE_HEADER
from services.control.access_log import HELD_S, STATUS, TIMEOUT
from services.control.releases.domain import CallsSeen, part_id
from services.control.releases.rules import Abort
from services.control.releases.sides import Sides
from services.control.shares import SIDE_HEADER, TO_CANDIDATE
from services.control.sticky import EXTRACTED, logged_pair

METHODS_MAX = 512
"""Methods of one release that are counted; the contract has far fewer."""
FAILURES = frozenset({"2", "4", "8", "12", "13", "14", "15", ""})
"""Codes that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL,
UNAVAILABLE, DATA_LOSS, and none at all. The others are answers: a refused order is one."""
OK, CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE = "0", "1", "4", "14"
UNDER_WAY = 5
"""Envoy's type of an entry about a call that has not ended."""
GIVEN_UP_SHARE = 0.9
"""A caller who leaves after this share of its deadline has waited in vain."""
FRESH_MAX = 100_000
"""Calls that wait for the analysis, which takes them each second."""
BUCKETS_A_DOUBLING = 8
"""Buckets of the histogram between a time and twice that time: a quantile is within 9 %."""
FASTEST_S = 1e-5


@dataclass(slots=True)
class Seen:
    """Calls of one method to one version."""

    codes: Counter[str] = field(default_factory=Counter)
    times: Counter[int] = field(default_factory=Counter)
    """Calls by bucket of their time."""

    @property
    def calls(self) -> int:
        """How many ended, but for those that their caller cancelled."""
        return self.codes.total() - self.codes[CANCELLED]

    @property
    def failures(self) -> int:
        """How many failed for the server's reasons."""
        return sum(n for code, n in self.codes.items() if code in FAILURES)

    def add(self, code: str, seconds: float) -> None:
        """Counts one call."""
        self.codes[code] += 1
        self.times[max(0, round(math.log2(max(seconds, FASTEST_S) / FASTEST_S) * BUCKETS_A_DOUBLING))] += 1

    def quantile_s(self, share: float) -> float:
        """The time within which a share of the calls ended, in seconds; 0 without calls."""
        wanted, seen = share * self.times.total(), 0
        for bucket, count in sorted(self.times.items()):
            seen += count
            if seen >= wanted:
                return FASTEST_S * 2 ** (bucket / BUCKETS_A_DOUBLING)
        return 0.0


Key = tuple[str, bool]
"""Method's path, and whether the candidate answered."""
Judge = Callable[[Abort, Mapping[Key, Seen]], str]
"""Says why the calls speak against a candidate; empty if they do not, or not yet."""


def is_unary(path: str) -> bool:
    """Whether a method has one request and one answer."""
    method = contracts().get(path)
    return method is not None and not method.streaming


def by_bounds(abort: Abort, seen: Mapping[Key, Seen]) -> str:
    """The bounds of the specification, without statistics: what is beyond them after enough calls ends the release."""
    for (method, candidate), calls in sorted(seen.items()):
        if not candidate or calls.calls < abort.calls_min:
            continue
        name, percent = method.rsplit(".", 1)[-1], 100 * calls.failures / calls.calls
        if abort.error_percent_max is not None and percent > abort.error_percent_max:
            bound = f"at most {abort.error_percent_max:g} % may"
            return f"{percent:.2f} % of {calls.calls} calls of {name} failed, where {bound}"
        p99_ms = calls.quantile_s(0.99) * 1000
        if abort.latency_p99_ms_max is not None and is_unary(method) and p99_ms > abort.latency_p99_ms_max:
            return f"the p99 of {name} is {p99_ms:.1f} ms, where it may be {abort.latency_p99_ms_max:g} ms"
    return ""


@dataclass(frozen=True, slots=True)
class Ended:
    """One call that has ended."""

    method: str
    candidate: bool
    failed: bool
    seconds: float
    account: str = ""
    """By the contract's sticky field; empty where it has none."""
    pair: str = ""
    replayed: bool = False
    """Whether no client asked: a recorded call was repeated, and timed where it was."""


def keys_of(entry: Any) -> tuple[str, str]:
    """Account and pair of a call, as the proxy read them out of its request; empty for what it did not read."""
    extracted = entry.common_properties.metadata.filter_metadata
    method = contracts().get(entry.request.path)
    if EXTRACTED not in extracted or method is None:
        return "", ""
    fields = extracted[EXTRACTED].fields
    return _value(fields, method.sticky_field), _value(fields, logged_pair(method))


def _value(fields: Any, name: str) -> str:
    # A field at a path may be repeated: then a call has no one key.
    values = fields[name].list_value.values if name in fields else ()
    return values[0].string_value if len(values) == 1 else ""


_UNITS = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}


def timeout_s(header: str) -> float:
    """The seconds of a `grpc-timeout`; without one, or with what is none, there is no end."""
    found = re.fullmatch(r"(\d{1,8})([HMSmun])", header)
    return int(found[1]) * _UNITS[found[2]] if found else math.inf


def code_of(entry: Any) -> str:
    """How a call that has ended did, as a gRPC code.

    A caller who leaves a stream has had what it wanted; one who leaves a unary call at its deadline has waited in vain,
    and one who leaves it earlier says nothing. What the proxy had to repeat has failed, though its caller was spared.
    """
    common = entry.common_properties
    if common.upstream_request_attempt_count > 1:
        return UNAVAILABLE
    status = entry.response.response_trailers.get(STATUS) or entry.response.response_headers.get(STATUS, "")
    flags = common.response_flags
    if status or not (flags.downstream_remote_reset or flags.downstream_connection_termination):
        return status
    if not is_unary(entry.request.path):
        return OK if common.HasField("time_to_first_downstream_tx_byte") else CANCELLED
    took_s = common.duration.seconds + common.duration.nanos / 1e9
    given_up = took_s >= GIVEN_UP_SHARE * timeout_s(entry.request.request_headers.get(TIMEOUT, ""))
    return DEADLINE_EXCEEDED if given_up else CANCELLED


class CallLog:
    """Takes the proxies' logs.

    Args:
        is_candidate: whether the instance at a socket is a candidate's.
        clock: seconds since the epoch.
    """

    def __init__(self, is_candidate: Callable[[str], bool], clock: Callable[[], float] = time.time) -> None:
        self._is_candidate, self._clock = is_candidate, clock
        self._seen: dict[str, dict[Key, Seen]] = {}
        self._fresh: dict[str, deque[Ended]] = {}
        self._sides: dict[str, Sides] = {}

    def seen(self, release: str) -> Mapping[Key, Seen]:
        """The calls under a release's id."""
        return self._seen.get(release, {})

    def summary(self, release: str) -> tuple[CallsSeen, ...]:
        """The same in figures, in order of method, the stable version first."""
        return tuple(
            CallsSeen(
                method,
                candidate,
                seen.calls,
                seen.failures,
                round(seen.quantile_s(0.5) * 1000, 3),
                round(seen.quantile_s(0.99) * 1000, 3),
            )
            for (method, candidate), seen in sorted(self.seen(release).items())
        )

    def begin(self, release: str) -> None:
        """Counts calls under a release from now on; those of others are not looked at."""
        self._seen.setdefault(release, {})
        self._fresh.setdefault(release, deque(maxlen=FRESH_MAX))
        self._sides.setdefault(release, Sides())

    def sides(self, release: str) -> Sides:
        """Which version answered which account under a release."""
        return self._sides.get(release) or Sides()

    def state(self, release: str) -> list[list[Any]]:
        """The counts of a release, as JSON has them."""
        return [[*key, dict(seen.codes), dict(seen.times)] for key, seen in self.seen(release).items()]

    def restore(self, release: str, state: Iterable[Sequence[Any]]) -> None:
        """Begins with counts that were kept.

        Raises:
            ValueError, TypeError, AttributeError: it is no such state.
        """
        kept = {}
        for method, candidate, codes, times in state:
            counted = Counter({int(bucket): int(n) for bucket, n in times.items()})
            kept[str(method), bool(candidate)] = Seen(Counter({str(c): int(n) for c, n in codes.items()}), counted)
        self._seen[release] = kept

    def fresh(self, release: str) -> list[Ended]:
        """The calls that ended since this was asked for last; the newest FRESH_MAX."""
        found = list(self._fresh.get(release, ()))
        if found:
            self._fresh[release].clear()
        return found

    def forget(self, release: str) -> None:
        """Lets go of a release's counts."""
        self._seen.pop(release, None)
        self._fresh.pop(release, None)
        self._sides.pop(release, None)

    def take(self, entry: Any) -> None:
        """Counts one entry of the log."""
        release = self._counted_as(entry)
        seen = self._seen.get(release)
        if seen is None:
            return
        common = entry.common_properties
        key = entry.request.path, self._by_candidate(entry)
        if key not in seen and len(seen) >= METHODS_MAX:
            return
        if common.access_log_type == UNDER_WAY:
            if not self._holds(entry):
                return
            code, seconds = OK, HELD_S
        else:
            answered = common.HasField("time_to_last_downstream_tx_byte")
            took = common.time_to_last_downstream_tx_byte if answered else common.duration
            code, seconds = code_of(entry), took.seconds + took.nanos / 1e9
        seen.setdefault(key, Seen()).add(code, seconds)
        account, pair = keys_of(entry)
        if account:
            begin = common.start_time.seconds + common.start_time.nanos / 1e9
            self._sides[release].add(account, begin, begin + seconds, key[1])
        if code != CANCELLED:
            self._fresh[release].append(Ended(*key, code in FAILURES, seconds, account, pair))

    def _counted_as(self, entry: Any) -> str:
        """The id under which a call is counted: its release's, or that of its service's part in it."""
        release = entry.request.request_headers.get(RELEASE_HEADER, "")
        if release in self._seen:
            return release
        method = contracts().get(entry.request.path)
        return release if method is None else part_id(release, method.workload)

    def _by_candidate(self, entry: Any) -> bool:
        """Whether a call is the candidate's: whoever answered, one that was repeated is of whom it was sent to first,
        and so is one that nobody answered."""
        common, answered = entry.common_properties, entry.common_properties.upstream_remote_address.pipe.path
        sent_to = entry.request.request_headers.get(SIDE_HEADER, "")
        if sent_to and (common.upstream_request_attempt_count > 1 or not answered):
            return sent_to == TO_CANDIDATE
        return self._is_candidate(answered)

    def _holds(self, entry: Any) -> bool:
        """Whether an entry is the first about a stream that is well: it has held for HELD_S, and has been answered. It
        is counted then, and when it ends."""
        common = entry.common_properties
        age_s = self._clock() - common.start_time.seconds - common.start_time.nanos / 1e9
        answered = common.HasField("time_to_first_downstream_tx_byte")
        return answered and age_s < 1.8 * HELD_S and not is_unary(entry.request.path)
