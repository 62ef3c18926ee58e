"""What one commit holds, and the same as the arguments of its statement."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.api.broker.v1 import venue_report_pb2 as pb
from crossrate.store import Lease
from services.broker.routed import Carried, Routed, State, Told


class Input(NamedTuple):
    """What went into a simulated book: a row of its own."""

    venue: str
    instrument: str
    number: int
    told: int
    content: bytes


@dataclass(slots=True)
class Outcome:
    """What one commit holds.

    Attributes:
        sent: numbers of instructions that are about to go to the venue.
        done: of those that were carried out or answered.
        moved: of those that go to another venue; (number, venue).
    """

    sent: list[int] = field(default_factory=list)
    done: list[int] = field(default_factory=list)
    moved: list[tuple[int, str]] = field(default_factory=list)
    orders: dict[str, Routed] = field(default_factory=dict)
    reports: list[Told] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not (self.sent or self.done or self.moved or self.orders or self.reports)


@dataclass(frozen=True, slots=True)
class Entry:
    """An instruction to be kept: where it goes, or why it goes nowhere."""

    instruction: routing.Instruction
    venue: str
    refusal: Told | None = None


def columns(rows: Iterable[Sequence[Any]], count: int) -> list[Sequence[Any]]:
    """Rows as so many columns, also where there is none."""
    return list(zip(*rows, strict=True)) or [()] * count


def instruction(entry: Entry) -> tuple[Any, ...]:
    """An instruction as a row."""
    instruction, order = entry.instruction, entry.instruction.order
    state = State.WAITS if entry.venue else State.DONE
    return (
        instruction.instruction_id,
        order.order_id,
        entry.venue,
        instruction.kind,
        order.version,
        int(state),
        bool(order.terms.venue),
        order.SerializeToString(),
    )


def order_columns(orders: Sequence[Routed]) -> list[Sequence[Any]]:
    """Orders as columns of their table."""
    rows = [
        (
            o.order_id,
            o.account,
            o.venue,
            o.instrument,
            int(o.status),
            o.version,
            o.venue_order_id,
            o.filled,
            o.earlier,
            o.order.SerializeToString(),
            o.client_id,
        )
        for o in orders
    ]
    return columns(rows, 11)


def carried_arguments(lease: Lease, carried: Sequence[Carried]) -> list[Any]:
    """The arguments of `keep_carried`."""
    orders = [each.order for each in carried]
    return [
        lease.name.removeprefix("venue:"),
        [each.instruction_id for each in carried],
        routing.INSTRUCTION_KIND_NEW,
        [each.version for each in carried],
        [each.pinned for each in carried],
        *columns(
            [
                (
                    o.order_id,
                    o.number,
                    o.account,
                    o.instrument,
                    int(o.status),
                    o.version,
                    o.venue_order_id,
                    o.filled,
                    o.earlier,
                    o.client_id,
                    o.order.SerializeToString(),
                )
                for o in orders
            ],
            11,
        ),
    ]


def commit_arguments(
    lease: Lease,
    outcome: Outcome,
    orders: Sequence[Routed],
    reports: Sequence[pb.VenueReport],
    last: int,
    inputs: Sequence[Input],
) -> list[Any]:
    """The arguments of `commit_venue`.

    Args:
        orders: those that are kept already.
        last: the number of the report before the first.
    """
    changed = [order for order in orders if order.order is not order.kept]
    return [
        lease.name,
        lease.epoch,
        outcome.sent,
        outcome.done,
        *columns(
            [(o.order_id, int(o.status), o.version, o.venue_order_id, o.filled, o.earlier) for o in orders],
            6,
        ),
        [order.order_id for order in changed],
        [order.order.SerializeToString() for order in changed],
        last,
        [report.account for report in reports],
        [report.order_id for report in reports],
        [report.venue for report in reports],
        [int(report.kind) for report in reports],
        [each.exec_key for each in outcome.reports],
        [report.SerializeToString() for report in reports],
        *columns(inputs, 5),
    ]
