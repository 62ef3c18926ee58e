"""Changes of an instrument's status: given a state, when a command comes, then these events and this state."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.basics.pair import Pair
from services.reference.domain import Ended, SetStatus, State, Status, VersionConflict, after, decide, evolve, initial

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
EURUSD = Pair("EUR", "USD")


def wish(status: Status, expected_version: int = 0) -> SetStatus:
    """A command with everything else as always."""
    return SetStatus(status, "because", "6b1f6d3e-0000-4000-8000-000000000001", expected_version)


def test_a_living_pair_begins_trading() -> None:
    """Its version is 1 and it never changed."""
    assert initial(EURUSD) == State(EURUSD, Status.TRADING, 1, None)


def test_what_cannot_be_traded_begins_halted() -> None:
    """A pair with a currency that ended, or whose reference rate is suspended."""
    assert initial(Pair("EUR", "CYP")).status is Status.HALTED
    assert initial(Pair("USD", "RUB")).status is Status.HALTED


def test_a_halt_is_one_event_with_the_next_version() -> None:
    """The event holds the status before and after, who asked and why."""
    (event,) = decide(initial(EURUSD), wish(Status.HALTED), NOW)
    assert (event.previous, event.status, event.version, event.time) == (Status.TRADING, Status.HALTED, 2, NOW)
    assert (event.comment, event.request_id) == ("because", "6b1f6d3e-0000-4000-8000-000000000001")
    assert evolve(initial(EURUSD), event) == State(EURUSD, Status.HALTED, 2, NOW)


def test_a_status_that_is_there_already_is_no_event() -> None:
    """The version does not grow without a change."""
    assert decide(initial(EURUSD), wish(Status.TRADING), NOW) == []


def test_a_stale_version_is_refused() -> None:
    """Also when the status would not change: the caller decided on what is no longer so."""
    state = State(EURUSD, Status.HALTED, 5, NOW)
    for status in Status:
        with pytest.raises(VersionConflict, match="the version is 5, not 4"):
            decide(state, wish(status, expected_version=4), NOW)
    assert decide(state, wish(Status.TRADING, expected_version=5), NOW)


def test_an_ended_pair_stays_halted() -> None:
    """It cannot be opened; halting it once more is no change."""
    ended = initial(Pair("EUR", "CYP"))
    for status in (Status.TRADING, Status.REDUCE_ONLY):
        with pytest.raises(Ended, match="EUR/CYP ended on 2007-12-31"):
            decide(ended, wish(status), NOW)
    assert decide(ended, wish(Status.HALTED), NOW) == []


@given(st.lists(st.sampled_from(Status)))
def test_the_version_counts_the_changes(statuses: list[Status]) -> None:
    """After any commands the status is the last one's and the version one more than the number of changes."""
    state, changes = initial(EURUSD), 0
    for status in statuses:
        events = decide(state, wish(status), NOW)
        changes += len(events)
        state = after(state, events)
        assert state.status is status
    assert state.version == 1 + changes
