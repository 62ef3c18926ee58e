"""What an order costs in `risk` before a trade: parsing, reserving, every check, the answer as bytes; no network.

    uv run python tests/bench/orders_risk.py [--quick]

Batches of 64 limit orders of one account under the limits that a new platform begins with (23 checks an order). With
them come the reports of the batch before: each order's acceptance, confirmation and cancel. Processor time of one
thread.
"""

from __future__ import annotations

import argparse
import time
import uuid
from datetime import UTC, datetime

from crossrate.api.risk.v1 import pretrade_service_pb2 as pb
from crossrate.api.trading.v1 import execution_pb2, order_pb2
from crossrate.basics.instrument import CONVENTIONS
from services.risk.domain.pretrade.accounts import Book
from services.risk.domain.pretrade.amounts import SCALE
from services.risk.domain.pretrade.authorise import MARGIN_SCALE, Authoriser
from services.risk.domain.pretrade.checks import Plans
from services.risk.domain.pretrade.limits import BEGINNING, Limits
from services.risk.domain.pretrade.market import Market
from services.risk.pretrade import PreTrade
from tests.bench.figures import median, report

BATCH = 64
STEP_NS = 5_000_000
QUOTES = {"EUR/USD": (1.17, 1.1701), "USD/JPY": (148.0, 148.01), "GBP/USD": (1.3, 1.3001)}
STEPS = (
    (execution_pb2.EXEC_TYPE_PENDING_NEW, order_pb2.ORDER_STATUS_PENDING_NEW),
    (execution_pb2.EXEC_TYPE_NEW, order_pb2.ORDER_STATUS_NEW),
    (execution_pb2.EXEC_TYPE_CANCELLED, order_pb2.ORDER_STATUS_CANCELLED),
)


class Stand:
    """An engine with a live market, and a clock that the benchmark turns."""

    def __init__(self) -> None:
        self.now_ns = int(datetime(2026, 3, 4, 14, tzinfo=UTC).timestamp()) * 1_000_000_000
        self.market = Market(CONVENTIONS.values(), age_max_ns=10**10, rate_age_max_ns=6 * 10**10)
        self.market.heard = self.market.statuses_known = True
        book = Book(self.market, Limits(1, BEGINNING))
        account = book.account("alpha")
        account.listed, account.currency, account.margin_rate = True, "USD", MARGIN_SCALE // 20
        account.funds = {"USD": 10**9 * SCALE}
        self.engine = PreTrade(book, Authoriser(book, Plans(book)), lambda: self.now_ns, 250_000_000)

    def tick(self) -> None:
        """Every quote again, a step later."""
        self.now_ns += STEP_NS
        for name, (bid, ask) in QUOTES.items():
            self.market.quote(name, bid, ask, "LIVE", source="simulated", sequence=1, receive_ns=self.now_ns)


def order(number: int) -> order_pb2.Order:
    """A limit order behind the market, unlike its neighbours."""
    terms = order_pb2.NewOrder(
        client_order_id=f"order-{number}",
        account="alpha",
        instrument="EUR/USD",
        side=1 + (number & 1),
        quantity=str(1000 + number % 5000),
        order_type=order_pb2.ORDER_TYPE_LIMIT,
        limit_price="1.1800" if number & 1 else "1.1600",
        time_in_force=order_pb2.TIME_IN_FORCE_GTC,
    )
    return order_pb2.Order(
        order_id=str(uuid.uuid4()),
        terms=terms,
        status=order_pb2.ORDER_STATUS_PENDING_NEW,
        cum_quantity="0",
        leaves_quantity=terms.quantity,
        version=1,
    )


def calls(batches: int, *, reports: bool) -> list[bytes]:
    """Requests as trading sends them."""
    made, before, sequence = [], [], 0
    for batch in range(batches):
        orders = [order(batch * BATCH + place) for place in range(BATCH)]
        request = pb.AuthoriseRequest(request_id=str(uuid.uuid4()), writer="trading-1", number=batch + 1)
        told = request.accounts.add(account="alpha")
        if not batch:
            told.state.account = "alpha"
        for each in before if reports else ():
            for exec_type, status in STEPS:
                sequence += 1
                step = told.reports.add(sequence=sequence, exec_type=exec_type, order=each)
                step.order.status = status
                if exec_type == execution_pb2.EXEC_TYPE_CANCELLED:
                    step.order.leaves_quantity = "0"
        for each in orders:
            request.orders.add(order=each)
        made.append(request.SerializeToString())
        before = orders
    return made


def measured_us(requests: list[bytes]) -> float:
    """Microseconds of processor time an order."""
    stand = Stand()
    begun = time.process_time()
    for body in requests:
        stand.tick()
        answer = stand.engine.authorise(pb.AuthoriseRequest.FromString(body))
    spent = time.process_time() - begun
    last = pb.AuthoriseResponse.FromString(answer)
    if not all(each.authorised for each in last.authorisations):
        raise RuntimeError(f"an order was refused: {last.authorisations[0].checks[0].text}")
    return spent / len(requests) / BATCH * 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="end within a minute")
    arguments = parser.parse_args()
    rounds, batches = (5, 40) if arguments.quick else (15, 150)
    alone, whole = [], []
    for _ in range(rounds):
        alone.append(measured_us(calls(batches, reports=False)))
        whole.append(measured_us(calls(batches, reports=True)))
    checks = len(BEGINNING)
    results = {"risk_order_us": median(alone), "risk_order_with_reports_us": median(whole)}
    notes = {
        "risk_order_us": f"an order in a batch of {BATCH}, given up by the next; {checks} limits; aim ≤ 30",
        "risk_order_with_reports_us": "the same with three reports of each order",
    }
    report("orders_risk", results, notes)


if __name__ == "__main__":
    main()
