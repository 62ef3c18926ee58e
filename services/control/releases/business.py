"""Orders as their facts say they went, for the tests of a release: refused or taken, filled whole or not.

trading's execution reports come by NATS as they are published. An order belongs to the version that answered its
account when it was entered, whoever reports on it later.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from google.protobuf.message import DecodeError

from crossrate.api.trading.v1 import execution_pb2 as execution
from crossrate.api.trading.v1 import order_history_pb2 as history
from crossrate.api.trading.v1 import order_pb2 as orders
from services.control.releases.parts import Business

SUBJECT = "crossrate.trading.v1.execution_reported.*"
HOLD_S = 1.5
"""Reports wait so long for the log of calls, which comes a fifth of a second after a call's end."""
HELD_MAX = 50_000
"""Reports that wait; what comes beyond is left out, whatever it says."""
ORDERS_MAX = 200_000
"""Orders that are remembered until they end."""
_WORDS = frozenset(
    {
        execution.EXECUTION_REASON_CLIENT,
        execution.EXECUTION_REASON_KILL_SWITCH,
        execution.EXECUTION_REASON_DISCONNECT,
        execution.EXECUTION_REASON_CONTINGENCY,
        execution.EXECUTION_REASON_CORRECTION,
        execution.EXECUTION_REASON_SELF_TRADE,
    }
)
"""Why an order ended because somebody wanted it: it says nothing about fills."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One order that has gone well or badly by a rule."""

    rule: str
    account: str
    pair: str
    candidate: bool
    bad: bool


@dataclass(slots=True)
class _Order:
    candidate: bool
    taken: bool = False


class Orders:
    """Reads reports.

    Args:
        side: whether the candidate answered an account at a time in seconds since 1970; None if that cannot be told.
        clock: seconds that only grow.
    """

    def __init__(
        self,
        rules: Sequence[Business],
        side: Callable[[str, float], bool | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rules, self._side, self._clock = rules, side, clock
        self._held: deque[tuple[float, execution.ExecutionReport]] = deque()
        self._orders: dict[str, _Order] = {}
        self.unattributed = 0
        """Orders whose version could not be told."""

    def take(self, payload: bytes) -> None:
        """Takes a message of the stream: one report, or several that are joined."""
        try:
            reports = history.ExecutionReports.FromString(payload).reports
        except DecodeError:
            return
        now = self._clock()
        for report in reports[: HELD_MAX - len(self._held)]:
            self._held.append((now, report))

    def judged(self) -> list[Judged]:
        """What is known by now of orders that were not told yet."""
        found: list[Judged] = []
        latest = self._clock() - HOLD_S
        while self._held and self._held[0][0] <= latest:
            found += self._judge(self._held.popleft()[1])
        return found

    def _judge(self, report: execution.ExecutionReport) -> list[Judged]:
        order_id, terms = report.order.order_id, report.order.terms
        order = self._orders.get(order_id)
        if order is None:
            if report.exec_type not in (execution.EXEC_TYPE_PENDING_NEW, execution.EXEC_TYPE_REJECTED):
                return []
            at = report.time.seconds + report.time.nanos / 1e9
            if (candidate := self._side(terms.account, at)) is None:
                self.unattributed += 1
                return []
            if len(self._orders) >= ORDERS_MAX:
                del self._orders[next(iter(self._orders))]
            order = self._orders[order_id] = _Order(candidate)
        found = [
            Judged(rule.name, terms.account, terms.instrument, order.candidate, bad)
            for rule in self._rules
            if (bad := _bad(rule, report, order)) is not None
        ]
        order.taken = order.taken or report.exec_type not in _UNDECIDED
        if report.order.status in _FINAL:
            del self._orders[order_id]
        return found


_UNDECIDED = (execution.EXEC_TYPE_PENDING_NEW, execution.EXEC_TYPE_REJECTED, execution.EXEC_TYPE_UNKNOWN)
_FINAL = (
    orders.ORDER_STATUS_FILLED,
    orders.ORDER_STATUS_CANCELLED,
    orders.ORDER_STATUS_REJECTED,
    orders.ORDER_STATUS_EXPIRED,
)


def _bad(rule: Business, report: execution.ExecutionReport, order: _Order) -> bool | None:
    """Whether a report says that its order went badly; None if it says nothing about that."""
    if rule.metric == "reject_share":
        if report.exec_type == execution.EXEC_TYPE_REJECTED:
            reason = execution.ExecutionReason.Name(report.reason).removeprefix("EXECUTION_REASON_")
            return not rule.reasons or reason in rule.reasons
        return None if order.taken or report.exec_type in _UNDECIDED else False
    if rule.metric == "fill_ratio":
        if report.order.status == orders.ORDER_STATUS_FILLED:
            return False
        ended = report.order.status in (orders.ORDER_STATUS_CANCELLED, orders.ORDER_STATUS_EXPIRED)
        return True if ended and report.reason not in _WORDS else None
    return None
