"""Turns of streams: how far from one message to the next, and how evenly many streams are spread."""

import math

from hypothesis import given
from hypothesis import strategies as st

from services.marketdata.turns import Turn, Turns

STREAMS, INTERVAL_S = 200, 0.1


@given(st.integers(0, 10**6), st.floats(0, 1e7), st.floats(0.001, 60))
def test_the_next_message_is_half_to_one_and_a_half_intervals_away(number, now, interval_s):
    """Whenever it is asked; and once in its turn, a stream that is on time sends exactly once in an interval."""
    turn, little = Turn(number), 1e-7 * (1 + now)
    due = turn.after(now, interval_s)
    assert interval_s / 2 - little <= due - now <= 1.5 * interval_s + little
    assert abs(turn.after(due, interval_s) - due - interval_s) <= little


def test_without_an_interval_nobody_waits():
    """Every change is sent as it comes."""
    assert Turn(3).after(7.5, 0.0) == 7.5


def test_streams_that_were_held_up_together_are_spread_again():
    """However many begin at once, or send at once after a pause: one interval later they are spread evenly."""
    turns = Turns()
    held_up = 1234.5678
    due = sorted(math.fmod(turns.take().after(held_up, INTERVAL_S), INTERVAL_S) for _ in range(STREAMS))
    between = [b - a for a, b in zip(due, [*due[1:], due[0] + INTERVAL_S], strict=True)]
    assert max(between) < 3 * INTERVAL_S / STREAMS
    assert min(between) > INTERVAL_S / STREAMS / 3
