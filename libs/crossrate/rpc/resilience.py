"""Circuit breaker, bulkhead, retry and timeout: written once, each with limits from settings and a metric.

The decisions are pure (time and randomness are arguments) and the asyncio shells around them are thin. Inside the mesh
Envoy breaks circuits between services; these are for what Envoy does not see: databases, venues, brokers' APIs, and for
the client's own repetitions.
"""

from __future__ import annotations

import asyncio
import collections
import enum
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple, TypeVar

from prometheus_client import Counter, Gauge
from pydantic import BaseModel, ConfigDict, Field, model_validator

T = TypeVar("T")

BREAKER_STATE = Gauge("crossrate_breaker_state", "0 closed, 1 half-open, 2 open", ["name"])
BREAKER_REFUSED = Counter("crossrate_breaker_refused_total", "Calls refused by an open circuit breaker", ["name"])
BULKHEAD_IN_FLIGHT = Gauge("crossrate_bulkhead_in_flight", "Calls inside a bulkhead", ["name"])
BULKHEAD_REFUSED = Counter("crossrate_bulkhead_refused_total", "Calls refused by a full bulkhead", ["name"])
RETRIES = Counter("crossrate_retries_total", "Failed attempts by whether they were repeated", ["name", "outcome"])
TIMEOUTS = Counter("crossrate_timeouts_total", "Operations that ran out of time", ["name"])


class Refused(Exception):
    """The operation was not tried. `retry_after_s` says when trying again makes sense."""

    def __init__(self, message: str, retry_after_s: float) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class CircuitOpen(Refused):
    """The circuit breaker is open: too many of the last calls failed."""


class BulkheadFull(Refused):
    """As many calls as may be are under way, and as many as may be wait."""


class _Limits(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class BreakerLimits(_Limits):
    """When a breaker opens and how it tries again.

    It opens when at least `calls_min` of the last `window_calls` results are known and the share of failures among
    them reaches `failure_share`. It stays open for `open_s`, twice as long after each failed probe, `open_s_max` at
    most; then `probes` calls are let through one by one, and it closes when all of them succeed.
    """

    window_calls: int = Field(default=20, ge=1, le=10_000)
    calls_min: int = Field(default=5, ge=1)
    failure_share: float = Field(default=0.5, gt=0, le=1)
    open_s: float = Field(default=1.0, gt=0)
    open_s_max: float = Field(default=30.0, gt=0)
    probes: int = Field(default=1, ge=1, le=100)

    @model_validator(mode="after")
    def _consistent(self) -> BreakerLimits:
        if self.calls_min > self.window_calls:
            raise ValueError("calls_min must not exceed window_calls, or the breaker could never open")
        if self.open_s_max < self.open_s:
            raise ValueError("open_s_max must not be below open_s")
        return self


class BreakerState(enum.IntEnum):
    """The values are those of the metric."""

    CLOSED = 0
    HALF_OPEN = 1
    OPEN = 2


class Permit(NamedTuple):
    """Leave to make one call. Its result counts only in the period of the breaker that gave it."""

    period: int


class BreakerCore:
    """The breaker's decisions. Times are seconds of any one monotonic clock."""

    def __init__(self, limits: BreakerLimits) -> None:
        self._limits = limits
        self._results: collections.deque[bool] = collections.deque(maxlen=limits.window_calls)
        self._state = BreakerState.CLOSED
        self._period = 0
        self._open_until_s = 0.0
        self._open_s = limits.open_s
        self._probing = False
        self._probes_passed = 0

    @property
    def state(self) -> BreakerState:
        """The state as of the last call to any method."""
        return self._state

    @property
    def open_until_s(self) -> float:
        """When an open breaker lets a probe through."""
        return self._open_until_s

    def admit(self, now_s: float) -> Permit | None:
        """Leave to call, or None. Whoever has leave gives it back by `record` or `release`."""
        if self._state is BreakerState.OPEN and now_s >= self._open_until_s:
            self._enter(BreakerState.HALF_OPEN)
        if self._state is BreakerState.OPEN:
            return None
        if self._state is BreakerState.HALF_OPEN:
            if self._probing:
                return None
            self._probing = True
        return Permit(self._period)

    def record(self, permit: Permit, *, failed: bool, now_s: float) -> None:
        """Counts a result. One of a call that began before the last change of state says nothing about now."""
        if permit.period != self._period:
            return
        if self._state is BreakerState.HALF_OPEN:
            self._probing = False
            if failed:
                self._open_s = min(self._open_s * 2, self._limits.open_s_max)
                self._open(now_s)
            else:
                self._probes_passed += 1
                if self._probes_passed >= self._limits.probes:
                    self._open_s = self._limits.open_s
                    self._enter(BreakerState.CLOSED)
            return
        self._results.append(failed)
        known = len(self._results)
        if known >= self._limits.calls_min and sum(self._results) >= self._limits.failure_share * known:
            self._open(now_s)

    def release(self, permit: Permit) -> None:
        """Gives leave back without a result: the call was cancelled."""
        if permit.period == self._period and self._state is BreakerState.HALF_OPEN:
            self._probing = False

    def _open(self, now_s: float) -> None:
        self._open_until_s = now_s + self._open_s
        self._enter(BreakerState.OPEN)

    def _enter(self, state: BreakerState) -> None:
        self._state = state
        self._period += 1
        self._results.clear()
        self._probing = False
        self._probes_passed = 0


class CircuitBreaker:
    """Stops calling what keeps failing: `await breaker.call(operation)`.

    An exception counts as a failure unless `is_failure` says otherwise (a refusal by the other side's rules is an
    answer, not a failure); cancellation counts as nothing.
    """

    def __init__(
        self,
        name: str,
        limits: BreakerLimits,
        *,
        is_failure: Callable[[BaseException], bool] = lambda error: isinstance(error, Exception),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._name = name
        self._core = BreakerCore(limits)
        self._is_failure = is_failure
        self._clock = clock
        BREAKER_STATE.labels(name).set(BreakerState.CLOSED)

    @property
    def state(self) -> BreakerState:
        """Closed, half-open or open."""
        return self._core.state

    async def call(self, operation: Callable[[], Awaitable[T]]) -> T:
        """Runs an operation unless the breaker is open.

        Raises:
            CircuitOpen: it was not tried.
        """
        permit = self._core.admit(self._clock())
        self._show()
        if permit is None:
            BREAKER_REFUSED.labels(self._name).inc()
            wait_s = max(0.0, self._core.open_until_s - self._clock())
            raise CircuitOpen(f"{self._name} keeps failing; it is tried again in {wait_s:.1f} s", wait_s)
        try:
            result = await operation()
        except asyncio.CancelledError:
            self._core.release(permit)
            raise
        except BaseException as error:
            self._core.record(permit, failed=self._is_failure(error), now_s=self._clock())
            raise
        else:
            self._core.record(permit, failed=False, now_s=self._clock())
            return result
        finally:
            self._show()

    def _show(self) -> None:
        BREAKER_STATE.labels(self._name).set(self._core.state)


class BulkheadLimits(_Limits):
    """How many calls may be under way, how many may wait for a place, and for how long."""

    in_flight_max: int = Field(default=64, ge=1)
    waiting_max: int = Field(default=64, ge=0)
    wait_s_max: float = Field(default=1.0, ge=0)


class Bulkhead:
    """Keeps one dependency's slowness from taking the whole process: `async with bulkhead.place(): …`.

    Places are given in the order in which they were asked for.
    """

    def __init__(self, name: str, limits: BulkheadLimits) -> None:
        self._name = name
        self._limits = limits
        self._free = asyncio.Semaphore(limits.in_flight_max)
        self._waiting = 0

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """A place inside.

        Raises:
            BulkheadFull: no place is free and too many wait, or none became free in `wait_s_max`.
        """
        if self._free.locked() and self._waiting >= self._limits.waiting_max:
            raise self._refuse()
        self._waiting += 1
        try:
            async with asyncio.timeout(self._limits.wait_s_max if self._free.locked() else None):
                await self._free.acquire()
        except TimeoutError:
            raise self._refuse() from None
        finally:
            self._waiting -= 1
        BULKHEAD_IN_FLIGHT.labels(self._name).inc()
        try:
            yield
        finally:
            BULKHEAD_IN_FLIGHT.labels(self._name).dec()
            self._free.release()

    def _refuse(self) -> BulkheadFull:
        BULKHEAD_REFUSED.labels(self._name).inc()
        message = f"{self._name} has {self._limits.in_flight_max} calls under way and {self._waiting} waiting"
        return BulkheadFull(message, self._limits.wait_s_max)


class RetryLimits(_Limits):
    """How often and how fast something is repeated: `attempts_max` in all, the first included.

    The pause before attempt n+1 is drawn evenly from zero to min(pause_s_max, pause_s · 2^(n−1)): full jitter, so that
    many who failed together do not come back together.
    """

    attempts_max: int = Field(default=4, ge=1, le=20)
    pause_s: float = Field(default=0.05, gt=0)
    pause_s_max: float = Field(default=1.0, gt=0)
    budget_share: float = Field(default=0.2, gt=0, le=1)
    budget_min: int = Field(default=10, ge=1)

    def pause_before_s(self, attempt: int, draw: float) -> float:
        """The pause after attempt `attempt` (1, 2 …) failed; `draw` is a random number in [0, 1)."""
        return draw * min(self.pause_s_max, self.pause_s * 2 ** min(attempt - 1, 60))


class RetryBudget:
    """At most a share of all calls may be repetitions, so that retries never turn an overload into a collapse.

    Every call earns `budget_share` of a repetition; at most `budget_min` of them can be saved up, which is also what
    a new budget starts with.
    """

    def __init__(self, limits: RetryLimits) -> None:
        self._earned_per_call = limits.budget_share
        self._saved_max = float(limits.budget_min)
        self._saved = self._saved_max

    @property
    def saved(self) -> float:
        """How many repetitions it would allow now."""
        return self._saved

    def earn(self) -> None:
        """Counts a first attempt."""
        self._saved = min(self._saved_max, self._saved + self._earned_per_call)

    def spend(self) -> bool:
        """Takes one repetition; False if there is none."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


async def retry(
    name: str,
    operation: Callable[[], Awaitable[T]],
    limits: RetryLimits,
    *,
    is_retryable: Callable[[Exception], bool],
    budget: RetryBudget | None = None,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    draw: Callable[[], float] = random.random,
) -> T:
    """Runs an operation that may be repeated until it succeeds, fails for good, or the limits are reached.

    An exception with a `retry_after_s` is never repeated sooner than that. Raises the last attempt's exception.
    """
    if budget:
        budget.earn()
    for attempt in range(1, limits.attempts_max + 1):
        try:
            result = await operation()
        except Exception as error:
            outcome = _why_not_again(error, attempt, limits, budget, is_retryable)
            RETRIES.labels(name, outcome or "repeated").inc()
            if outcome:
                raise
            least_s = getattr(error, "retry_after_s", None) or 0.0
            await sleep(least_s + limits.pause_before_s(attempt, draw()))
        else:
            return result
    raise AssertionError("the last attempt either returned or raised")


def _why_not_again(
    error: Exception,
    attempt: int,
    limits: RetryLimits,
    budget: RetryBudget | None,
    is_retryable: Callable[[Exception], bool],
) -> str:
    if not is_retryable(error):
        return "not_retryable"
    if attempt >= limits.attempts_max:
        return "attempts_exhausted"
    if budget and not budget.spend():
        return "budget_exhausted"
    return ""


@asynccontextmanager
async def timeout(name: str, seconds: float) -> AsyncIterator[None]:
    """Bounds what is done inside; counts and raises TimeoutError with the name and the bound when it is reached."""
    scope = asyncio.timeout(seconds)
    try:
        async with scope:
            yield
    except TimeoutError:
        if not scope.expired():
            raise
        TIMEOUTS.labels(name).inc()
        raise TimeoutError(f"{name} took longer than {seconds:g} s") from None
