"""Rows as values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from crossrate.api.broker.v1 import venue_report_pb2
from crossrate.api.broker.v1.routing_service_pb2 import INSTRUCTION_KIND_CANCEL, INSTRUCTION_KIND_NEW
from crossrate.api.trading.v1 import order_pb2


class State(IntEnum):
    """Of an instruction."""

    WAITS = 0
    SENT = 1
    DONE = 2


class At(IntEnum):
    """Where an order stands with its venue."""

    HERE = 0
    SENT = 1
    WORKS = 2
    UNKNOWN = 3
    ENDED = 4


@dataclass(slots=True)
class Routed:
    """An order that a venue has, or is to have.

    Attributes:
        number: this service's, unique for ever; ids at venues are made of it.
        filled: at this venue since it was sent, 1/10000 of the base unit.
        earlier: filled before it was sent.
        order: as the venue has it.
        client_id: what a venue that speaks FIX knows it by.
        kept: the order as the database has it; None while it has not.
    """

    number: int
    order_id: str
    account: str
    venue: str
    instrument: str
    status: At
    version: int
    venue_order_id: str
    filled: int
    earlier: int
    order: order_pb2.Order
    client_id: str = ""
    kept: order_pb2.Order | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """An instruction that waits.

    Attributes:
        age_s: seconds since it was committed.
    """

    number: int
    instruction_id: str
    order_id: str
    kind: int
    version: int
    pinned: bool
    order: order_pb2.Order
    age_s: float


@dataclass(frozen=True, slots=True)
class Carried:
    """A new order that was carried out before it is kept, and its instruction."""

    instruction_id: str
    version: int
    pinned: bool
    order: Routed


def recalled(waiting: Sequence[Waiting]) -> dict[str, list[int]]:
    """Orders whose cancel waits behind them: by id the numbers of the instructions that need not be carried out.

    What nobody was sent is not sent any more: the cancel has won, however long the venue was away.
    """
    new: dict[str, list[int]] = {}
    found: dict[str, list[int]] = {}
    for each in waiting:
        if each.kind == INSTRUCTION_KIND_NEW:
            new[each.order_id] = [each.number]
        elif each.kind == INSTRUCTION_KIND_CANCEL and each.order_id in new:
            found[each.order_id] = new[each.order_id] = [*new[each.order_id], each.number]
    return found


@dataclass(frozen=True, slots=True)
class Told:
    """A report that was not committed yet.

    Attributes:
        exec_key: the venue's id of what it told, by which a repetition is known; empty for none.
    """

    report: venue_report_pb2.VenueReport
    exec_key: str = ""
