"""What one commit writes: reports of some accounts, and what follows from them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from crossrate.api.broker.v1 import routing_service_pb2 as routing
from crossrate.store import Entry, Fact
from services.trading import messages
from services.trading.domain import amounts
from services.trading.domain.account import Account, Deal, Instruct, Step
from services.trading.domain.lifecycle import Exec
from services.trading.domain.order import Order

NOTHING_ADMITTED = -1
SUBJECT, EVENT = "crossrate.trading.v1.execution_reported.", "crossrate.api.trading.v1.ExecutionReported"
"""What `commit_reports` calls an event: its subject, without the account, and its type."""


@dataclass(slots=True)
class Reported:
    """A committed report of an account: its number and its event, encoded; `told` is the report for risk."""

    account: str
    sequence: int
    event: bytes
    told: bytes = b""


@dataclass(slots=True)
class _Row:
    order: Order
    sequences: list[int]
    content: bytes


@dataclass(slots=True)
class Request:
    """An answer to a request id, to be kept."""

    account: str
    request_id: str
    digest: bytes
    answer: bytes


@dataclass(slots=True)
class Entered:
    """What is kept of an order's entry to answer a repetition."""

    digest: bytes
    margin: bytes = b""


@dataclass
class Batch:
    """Collects the steps of one commit, each encoded as it is taken. It is the domain's Recorder.

    Args:
        now_ns: the time of all of them.
        traceparent: the trace that led here.
    """

    now_ns: int
    traceparent: str = ""
    admitted_version: int = NOTHING_ADMITTED
    bases: dict[str, int] = field(default_factory=dict)
    accounts: dict[str, Account] = field(default_factory=dict)
    reported: list[Reported] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)
    instructions: list[routing.Instruction] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    entered: dict[str, Entered] = field(default_factory=dict)
    _venue_bases: dict[str, int] = field(default_factory=dict)
    _rows: dict[str, _Row] = field(default_factory=dict)
    _positions: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    _strategies: dict[tuple[str, str, str, str], list[int]] = field(default_factory=dict)
    _fills: dict[tuple[str, str], tuple[str, str, bytes, bool]] = field(default_factory=dict)

    def holds(self, account: Account) -> None:
        """The account takes part, even without a report."""
        if account.name not in self.bases:
            self._take(account, account.sequence)

    def _take(self, account: Account, base: int) -> None:
        self.bases[account.name] = base
        self.accounts[account.name] = account
        self._venue_bases[account.name] = account.venue_sequence

    def report(self, account: Account, order: Order, step: Step) -> None:
        """See Recorder."""
        if account.name not in self.bases:
            self._take(account, account.sequence - 1)
        made = messages.report_of(account, order, step, self.now_ns)
        event = messages.event_of(made.report)
        self.reported.append(Reported(account.name, account.sequence, event, made.told))
        self.causes.append(step.cause)
        row = self._rows.get(order.order_id)
        if row is None:
            self._rows[order.order_id] = _Row(order, [account.sequence], made.order)
        else:
            row.sequences.append(account.sequence)
            row.content = made.order
        if step.deal is not None:
            self._keep(account, order, step, step.deal)

    def _keep(self, account: Account, order: Order, step: Step, deal: Deal) -> None:
        exec_id = step.exec_ref_id or deal.venue_exec_id
        content = deal.image.SerializeToString() if deal.image is not None else b""
        gone = step.exec_type is Exec.TRADE_CANCEL
        self._fills[deal.venue, exec_id] = (account.name, order.order_id, content, gone)

    def instruct(self, order: Order, kind: Instruct) -> None:
        """See Recorder."""
        self.instructions.append(instruction_of(order, kind))

    def position(self, account: Account, key: tuple[str, str], strategy: str) -> None:
        """See Recorder."""
        self._positions[account.name, *key] = account.positions[key]
        if strategy:
            self._strategies[account.name, *key, strategy] = account.strategies[*key, strategy]

    def content(self, order: Order) -> bytes:
        """An order after the last of its steps, encoded."""
        return self._rows[order.order_id].content

    @property
    def empty(self) -> bool:
        """Whether there is nothing to commit."""
        return not self.bases and not self.requests

    @property
    def count(self) -> int:
        """How many steps were taken."""
        return len(self.reported)

    @property
    def orders(self) -> list[Order]:
        """The orders that took a step."""
        return [row.order for row in self._rows.values()]

    @property
    def entries(self) -> list[Entry]:
        """The journal's entries that a commit of this makes."""
        return [
            Entry(
                f"accounts/{each.account}",
                each.sequence,
                Fact(SUBJECT + each.account, EVENT, each.event, self.now_ns, cause, self.traceparent),
            )
            for each, cause in zip(self.reported, self.causes, strict=True)
        ]

    def _venue_sequence(self, name: str) -> int:
        """How far broker's reports were applied; 0 where this batch has applied none, for writing that costs a lock."""
        now = self.accounts[name].venue_sequence
        return now if now != self._venue_bases[name] else 0

    def arguments(self, epochs: dict[str, int]) -> list[Any]:
        """The arguments of `commit_reports`, then those of `keep_strategies`."""
        strategies = list(self._strategies.items())
        names = sorted(self.bases)
        rows = list(self._rows.values())
        keep = [self.entered.get(row.order.order_id, _OWN) for row in rows]
        terms = [row.order.image.terms for row in rows]
        positions = list(self._positions.items())
        fills = list(self._fills.items())
        count = len(self.reported)
        return [
            names,
            [epochs[name] for name in names],
            [self.bases[name] for name in names],
            [self.accounts[name].sequence for name in names],
            [self._venue_sequence(name) for name in names],
            self.admitted_version,
            [each.account for each in self.reported],
            [each.sequence for each in self.reported],
            [each.event for each in self.reported],
            self.causes,
            [self.traceparent] * count,
            [self.now_ns] * count,
            [row.order.order_id for row in rows],
            [row.order.account for row in rows],
            [row.order.client_order_id for row in rows],
            [each.digest for each in keep],
            [row.sequences[0] for row in rows],
            [row.sequences[-1] for row in rows],
            ["{" + ",".join(map(str, row.sequences)) + "}" for row in rows],
            [not row.order.final for row in rows],
            [row.order.instrument for row in rows],
            [each.strategy for each in terms],
            [row.order.list_id for row in rows],
            [each.margin for each in keep],
            [row.content for row in rows],
            [key[0] for key, _ in positions],
            [key[1] for key, _ in positions],
            [key[2] for key, _ in positions],
            [amounts.quantity_text(value[0]) for _, value in positions],
            [amounts.value_text(value[1]) for _, value in positions],
            [key[0] for key, _ in fills],
            [key[1] for key, _ in fills],
            [value[0] for _, value in fills],
            [value[1] for _, value in fills],
            [value[2] for _, value in fills],
            [value[3] for _, value in fills],
            [each.account for each in self.requests],
            [each.request_id for each in self.requests],
            [each.digest for each in self.requests],
            [each.answer for each in self.requests],
            *([key[place] for key, _ in strategies] for place in range(4)),
            [amounts.quantity_text(value[0]) for _, value in strategies],
            [amounts.value_text(value[1]) for _, value in strategies],
        ]


_OWN = Entered(b"")
"""Orders that the platform makes itself have nothing to compare."""


def instruction_of(order: Order, kind: Instruct) -> routing.Instruction:
    """An instruction, the same for the same step however often it is made."""
    key = f"{order.order_id}:{order.version}:{kind.name}"
    if kind in (Instruct.CANCEL, Instruct.REPLACE):
        key = f"{key}:{order.pending_sequence}"
    made = routing.Instruction(instruction_id=key, kind=kind.value, order=order.image)
    if kind is Instruct.REPLACE:
        made.order.terms.CopyFrom(order.image.proposed)
    return made
