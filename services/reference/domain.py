"""Whether an instrument may be traded: the one thing about it that changes while the mesh runs.

Everything else about an instrument is convention (crossrate.basics.instrument). Its status is a state with a version;
a command is decided against the state and gives events, and events make the next state. Time is an argument.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair

SUSPENDED = frozenset({"RUB"})
"""Currencies without a reference rate since 2022: their pairs begin halted, and an operator may open them."""


class Status(enum.IntEnum):
    """As InstrumentStatus of the contract."""

    TRADING = 1
    REDUCE_ONLY = 2
    HALTED = 3


@dataclass(frozen=True, slots=True)
class State:
    """An instrument's status. The version is 1 until its first change; `update_time` (UTC) is None until then."""

    pair: Pair
    status: Status
    version: int = 1
    update_time: datetime | None = None


@dataclass(frozen=True, slots=True)
class SetStatus:
    """A wish to change a status. `expected_version` 0 stands for whatever is there."""

    status: Status
    comment: str
    request_id: str
    expected_version: int = 0


@dataclass(frozen=True, slots=True)
class StatusChanged:
    """A status changed. `version` is the one after the change."""

    pair: Pair
    previous: Status
    status: Status
    comment: str
    request_id: str
    version: int
    time: datetime


class VersionConflict(Exception):
    """The instrument changed since it was read."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the version is {actual}, not {expected}")
        self.expected, self.actual = expected, actual


class Ended(Exception):
    """The pair has a currency that is no more; it stays halted."""


def initial(pair: Pair) -> State:
    """An instrument's state before any change.

    Raises:
        KeyError: the pair is none of the platform's instruments.
    """
    ended = CONVENTIONS[pair].last_trade_date is not None
    return State(pair, Status.HALTED if ended or pair.currencies & SUSPENDED else Status.TRADING)


def decide(state: State, command: SetStatus, now: datetime) -> list[StatusChanged]:
    """What a command makes happen: one change, or nothing when the status is already there.

    Raises:
        VersionConflict: the version is not the expected one.
        Ended: the pair cannot be traded any more and the command is not to halt it.
    """
    if command.expected_version not in (0, state.version):
        raise VersionConflict(command.expected_version, state.version)
    last = CONVENTIONS[state.pair].last_trade_date
    if last is not None and command.status is not Status.HALTED:
        raise Ended(f"{state.pair} ended on {last} and stays halted")
    if command.status is state.status:
        return []
    return [
        StatusChanged(
            pair=state.pair,
            previous=state.status,
            status=command.status,
            comment=command.comment,
            request_id=command.request_id,
            version=state.version + 1,
            time=now,
        )
    ]


def evolve(state: State, event: StatusChanged) -> State:
    """The state after an event."""
    assert event.pair == state.pair, "an event belongs to its instrument"
    assert event.version == state.version + 1, "an instrument's events have no gap"
    return State(event.pair, event.status, event.version, event.time)


def after(state: State, events: Iterable[StatusChanged]) -> State:
    """The state after some events."""
    for event in events:
        state = evolve(state, event)
    return state
