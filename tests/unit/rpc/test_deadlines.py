"""What is kept back of a deadline, and when a call is not worth beginning."""

import random

import pytest

from crossrate.rpc.deadlines import MARGIN_S_MAX, SAMPLES_MIN, NeededTime, shave


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.parametrize("remaining_s", [-1.0, 0.0, 1e-3, 0.05, 2.0, 3600.0])
def test_something_is_kept_back_but_never_much(remaining_s, streaming):
    """The work gets less than what remains, at least nine tenths of it, and never a negative time."""
    work_s = shave(remaining_s, streaming)
    assert work_s >= 0.0
    assert 0.899 * remaining_s <= work_s or remaining_s <= 0.0
    assert work_s < remaining_s or remaining_s <= 0.0


def test_two_hops_answer_one_after_the_other():
    """A callee whose deadline is what its caller has left gives up before its caller does."""
    outer = shave(2.0, False)
    inner = shave(outer, False)
    assert outer - inner >= MARGIN_S_MAX


def test_nothing_is_refused_before_enough_was_seen():
    """A method that has hardly been called refuses nobody."""
    needed = NeededTime(cap_s=1.0)
    for _ in range(SAMPLES_MIN):
        needed.took(0.5)
    assert needed.needed_s == 0.0
    needed.took(0.5)
    assert needed.needed_s > 0.4


def test_the_estimate_is_the_median():
    """The estimate settles at the median of a skewed distribution, not at its mean."""
    chance = random.Random(7)
    needed = NeededTime(cap_s=10.0)
    estimates = []
    for i in range(5000):
        needed.took(chance.lognormvariate(-4.6, 1.0))
        if i > 2000:
            estimates.append(needed.needed_s)
    estimates.sort()
    assert estimates[len(estimates) // 2] == pytest.approx(0.01, rel=0.15)


def test_the_estimate_keeps_its_cap():
    """However slow a method is, a call with the cap's time is begun."""
    needed = NeededTime(cap_s=1.0)
    for _ in range(200):
        needed.took(30.0)
    assert needed.needed_s == 1.0


def test_refusals_alone_bring_the_estimate_down():
    """Callers that always ask for a tenth of the estimate are let in again after some refusals."""
    needed = NeededTime(cap_s=1.0)
    for _ in range(100):
        needed.took(0.5)
    refusals = 0
    while needed.needed_s > 0.05:
        needed.refused()
        refusals += 1
    assert refusals < 120
