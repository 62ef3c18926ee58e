"""The life of orders against a venue that does what it likes, and a model that only adds up."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from services.trading.domain.lifecycle import TRANSITIONS, Exec, Illegal, Status, check
from tests.unit.trading.venue_model import run


@settings(max_examples=40, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
@example(16642)  # a venue takes the fill back that had released two protections
def test_whatever_a_venue_does_the_books_are_right(seed: int) -> None:
    """Fills are counted once, quantities kept, messages whole, both sides agree when everything has arrived."""
    world = run(seed, 250)
    assert world.reports > 50


def test_what_is_no_step_cannot_be_taken() -> None:
    """Every pair of states and steps that the table does not have raises."""
    forbidden = 0
    for before in Status:
        for step in Exec:
            for after in Status:
                if after not in TRANSITIONS.get((before, step), ()):
                    forbidden += 1
                    with pytest.raises(Illegal):
                        check(before, step, after)
    assert forbidden > 2000
