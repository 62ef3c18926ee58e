"""The checker of histories tells good ones from bad ones."""

from __future__ import annotations

import random

import pytest

from tests.unit.risk.pretrade.linearizable import Operation, linearizable, register, switch

GOOD = [
    [],
    [Operation("read", 0, 0, 1)],
    [Operation("write", 1, 0, 1), Operation("read", 1, 2, 3)],
    [Operation("write", 1, 0, 5), Operation("read", 0, 1, 2), Operation("read", 1, 3, 4)],
    [Operation("write", 1, 0, 5), Operation("write", 2, 0, 5), Operation("read", 1, 6, 7)],
    [Operation("write", 1, 0), Operation("read", 1, 6, 7)],
    [Operation("write", 1, 0), Operation("read", 0, 6, 7), Operation("read", 1, 8, 9)],
]
BAD = [
    [Operation("read", 1, 0, 1)],
    [Operation("write", 1, 0, 1), Operation("read", 0, 2, 3)],
    [Operation("write", 1, 0, 5), Operation("read", 1, 1, 2), Operation("read", 0, 3, 4)],
    [Operation("write", 1, 0, 1), Operation("write", 2, 2, 3), Operation("read", 1, 4, 5)],
    [Operation("write", 1, 0), Operation("read", 1, 6, 7), Operation("read", 0, 8, 9)],
    [Operation("read", 1, 0, 1), Operation("write", 1, 2, 3)],
]


@pytest.mark.parametrize("history", GOOD)
def test_good_histories_pass(history: list[Operation]) -> None:
    """There is an order in which each read sees the write before it."""
    assert linearizable(history, 0, register)


@pytest.mark.parametrize("history", BAD)
def test_bad_histories_fail(history: list[Operation]) -> None:
    """A read from the future, a stale one, one that goes back."""
    assert not linearizable(history, 0, register)


def test_an_order_after_the_kill_is_found() -> None:
    """Admitted after Engage was answered is wrong, admitted while it was under way is not."""
    engaged = Operation("engage", None, 0, 2)
    assert linearizable([engaged, Operation("order", True, 1, 3)], False, switch)
    assert not linearizable([engaged, Operation("order", True, 3, 4)], False, switch)
    assert linearizable([engaged, Operation("order", False, 3, 4)], False, switch)
    assert not linearizable([Operation("order", False, 3, 4)], False, switch)


def test_true_histories_of_a_register_pass_and_one_lie_fails() -> None:
    """Of a register with one moment for each operation every history passes; a read of what nobody wrote never."""
    draw = random.Random(7)
    for _ in range(200):
        state, history = 0, []
        for moment in range(12):
            before, after = draw.random() * 3, draw.random() * 3
            if draw.random() < 0.4:
                state = draw.randrange(1, 5)
                history.append(Operation("write", state, moment - before, moment + after))
            else:
                history.append(Operation("read", state, moment - before, moment + after))
        assert linearizable(history, 0, register)
        place = next((i for i, each in enumerate(history) if each.what == "read"), None)
        if place is not None:
            told = history[place]
            history[place] = Operation("read", 99, told.begin, told.end)
            assert not linearizable(history, 0, register)
