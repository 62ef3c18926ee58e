"""Circuit breaker, bulkhead, retry and timeout."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from pydantic import ValidationError

from crossrate.rpc.resilience import (
    BreakerCore,
    BreakerLimits,
    BreakerState,
    Bulkhead,
    BulkheadFull,
    BulkheadLimits,
    CircuitBreaker,
    CircuitOpen,
    RetryBudget,
    RetryLimits,
    retry,
    timeout,
)


class BreakerMachine(RuleBasedStateMachine):
    """Any order of calls, results, cancellations and passing time."""

    @initialize(window=st.integers(1, 12), probes=st.integers(1, 3), share=st.floats(0.1, 1))
    def begin(self, window: int, probes: int, share: float) -> None:
        self.limits = BreakerLimits(
            window_calls=window, calls_min=max(1, window // 2), failure_share=share, probes=probes, open_s_max=8
        )
        self.core = BreakerCore(self.limits)
        self.now_s = 0.0
        self.out = []
        self.opened_at_s = None

    @rule(seconds=st.floats(0, 10))
    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds

    @rule()
    def ask(self) -> None:
        before = self.core.state
        permit = self.core.admit(self.now_s)
        if permit is not None:
            self.out.append(permit)
        if before is BreakerState.CLOSED:
            assert permit is not None, "a closed breaker admits everything"
        if permit is None and self.core.state is BreakerState.OPEN:
            assert self.now_s < self.core.open_until_s, "an open breaker refuses only until its time is over"

    @precondition(lambda self: self.out)
    @rule(failed=st.booleans(), data=st.data())
    def finish(self, failed: bool, data: st.DataObject) -> None:
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        before = self.core.state
        self.core.record(permit, failed=failed, now_s=self.now_s)
        if not failed:
            assert self.core.state is not BreakerState.OPEN or before is not BreakerState.HALF_OPEN
        if before is BreakerState.OPEN:
            assert self.core.state is BreakerState.OPEN, "late results never close an open breaker"

    @precondition(lambda self: self.out)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        permit = self.out.pop(data.draw(st.integers(0, len(self.out) - 1)))
        before = self.core.state
        self.core.release(permit)
        assert self.core.state is before, "a cancelled call says nothing"

    @invariant()
    def an_open_breaker_is_open_for_a_bounded_time(self) -> None:
        if hasattr(self, "core") and self.core.state is BreakerState.OPEN:
            assert self.core.open_until_s <= self.now_s + self.limits.open_s_max

    @invariant()
    def a_breaker_with_no_call_out_can_always_recover(self) -> None:
        if not hasattr(self, "core") or self.out or self.core.state is BreakerState.CLOSED:
            return
        later_s = max(self.now_s, self.core.open_until_s)
        for _ in range(self.limits.probes):
            permit = self.core.admit(later_s)
            assert permit is not None, "no probe is lost for ever"
            self.core.record(permit, failed=False, now_s=later_s)
        assert self.core.state is BreakerState.CLOSED
        self.now_s = later_s


TestBreakerMachine = BreakerMachine.TestCase


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


async def succeed() -> str:
    return "done"


async def fail() -> str:
    raise ConnectionError("down")


async def test_a_breaker_opens_probes_and_closes() -> None:
    """After enough failures nothing is tried; after open_s one probe decides; each failed probe doubles the wait."""
    clock = Clock()
    breaker = CircuitBreaker("venue", BreakerLimits(window_calls=4, calls_min=4, open_s=1), clock=clock)
    for _ in range(4):
        with pytest.raises(ConnectionError):
            await breaker.call(fail)
    assert breaker.state is BreakerState.OPEN
    with pytest.raises(CircuitOpen) as refused:
        await breaker.call(succeed)
    assert refused.value.retry_after_s == pytest.approx(1)
    clock.now_s += 1
    with pytest.raises(ConnectionError):
        await breaker.call(fail)
    with pytest.raises(CircuitOpen) as refused:
        await breaker.call(succeed)
    assert refused.value.retry_after_s == pytest.approx(2)
    clock.now_s += 2
    assert await breaker.call(succeed) == "done"
    assert breaker.state is BreakerState.CLOSED


async def test_an_answer_that_refuses_is_no_failure() -> None:
    """What is_failure excludes never opens the breaker."""
    limits = BreakerLimits(window_calls=1, calls_min=1)
    breaker = CircuitBreaker("rules", limits, is_failure=lambda e: not isinstance(e, ValueError))

    async def refuse() -> None:
        raise ValueError("not allowed")

    for _ in range(5):
        with pytest.raises(ValueError, match="not allowed"):
            await breaker.call(refuse)
    assert breaker.state is BreakerState.CLOSED


def test_limits_that_could_never_open_are_refused() -> None:
    """calls_min above window_calls is a mistake, not a setting."""
    with pytest.raises(ValidationError, match="calls_min"):
        BreakerLimits(window_calls=3, calls_min=4)


async def test_a_full_bulkhead_refuses_at_once_and_a_slow_one_in_time() -> None:
    """Places are bounded, waiting is bounded in number and in time."""
    bulkhead = Bulkhead("venue-full", BulkheadLimits(in_flight_max=1, waiting_max=1, wait_s_max=0.02))
    async with bulkhead.place():

        async def enter() -> None:
            async with bulkhead.place():
                pass

        waiting = asyncio.create_task(enter())
        await asyncio.sleep(0)
        with pytest.raises(BulkheadFull):
            await enter()
        with pytest.raises(BulkheadFull):
            await waiting
    await enter()


@given(attempt=st.integers(1, 1000), draw=st.floats(0, 1, exclude_max=True))
def test_pauses_are_bounded(attempt: int, draw: float) -> None:
    """No pause exceeds pause_s_max, however many attempts went before."""
    limits = RetryLimits()
    assert 0 <= limits.pause_before_s(attempt, draw) <= limits.pause_s_max


@given(calls=st.lists(st.booleans(), max_size=300), share=st.floats(0.01, 1), saved=st.integers(1, 50))
def test_repetitions_stay_within_the_budget(calls: list[bool], share: float, saved: int) -> None:
    """However calls and repetitions interleave, repetitions never exceed the share of calls plus what was saved."""
    budget = RetryBudget(RetryLimits(budget_share=share, budget_min=saved))
    made = spent = 0
    for is_call in calls:
        if is_call:
            budget.earn()
            made += 1
        else:
            spent += budget.spend()
        assert spent <= share * made + saved + 1e-6


async def _retried(failures: int, limits: RetryLimits, budget: RetryBudget | None = None) -> tuple[int, list[float]]:
    attempts, pauses = 0, []

    async def operation() -> None:
        nonlocal attempts
        attempts += 1
        if attempts <= failures:
            raise ConnectionError

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    await retry("test", operation, limits, is_retryable=lambda e: True, budget=budget, sleep=sleep, draw=lambda: 0.5)
    return attempts, pauses


async def test_retry_backs_off_and_gives_up() -> None:
    """Pauses double up to their limit, and the last failure is raised after attempts_max."""
    limits = RetryLimits(attempts_max=5, pause_s=0.1, pause_s_max=0.3)
    assert await _retried(4, limits) == (5, pytest.approx([0.05, 0.1, 0.15, 0.15]))
    with pytest.raises(ConnectionError):
        await _retried(5, limits)


async def test_an_empty_budget_ends_repetition() -> None:
    """Without budget the first failure is final."""
    budget = RetryBudget(RetryLimits(budget_min=1, budget_share=0.01))
    assert budget.spend()
    with pytest.raises(ConnectionError):
        await _retried(1, RetryLimits(), budget)


async def test_timeout_names_what_took_too_long() -> None:
    """The error says what was bounded and by how much; a TimeoutError from inside passes as it is."""
    with pytest.raises(TimeoutError, match=r"settle took longer than 0\.01 s"):
        async with timeout("settle", 0.01):
            await asyncio.Event().wait()
    with pytest.raises(TimeoutError, match="inner"):
        async with timeout("settle", 5):
            raise TimeoutError("inner")
