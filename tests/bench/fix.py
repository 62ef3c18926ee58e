"""What FIX costs: orders and reports to bytes and back, and a session of both sides with a store in memory.

    uv run python tests/bench/fix.py [--quick]

One thread. Reading is framing, checksum and every check of the session level, strict; writing is a typed value to the
bytes of a whole message. "Session" is an order from its value on one side to its value on the other, and its report
back, through both sessions with their numbers, without a socket.
"""

from __future__ import annotations

import argparse
import datetime as dt
import json
import time
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from crossrate.fix.codec import encode
from crossrate.fix.enums import ExecType, OrdStatus, OrdType, Side, TimeInForce
from crossrate.fix.message import Framer, framed, packed, utc_text
from crossrate.fix.numbers import Numbers
from crossrate.fix.orders import NewOrderSingle
from crossrate.fix.parts import Party
from crossrate.fix.reader import Decoder
from crossrate.fix.reports import ExecutionReport
from crossrate.fix.rules import Rules
from crossrate.fix.session import Session
from tests.bench.figures import commit, machine

NOW_NS = 1_767_366_245_678_000_000
ORDER = NewOrderSingle(
    cl_ord_id="O-20260102-000001",
    parties=(Party(party_id="desk", party_id_source="D", party_role=3),),
    account="A1",
    settl_type="0",
    settl_date=dt.date(2026, 1, 6),
    symbol="EUR/USD",
    side=Side.BUY,
    transact_time=NOW_NS,
    order_qty=Decimal(1_000_000),
    ord_type=OrdType.LIMIT,
    price=Decimal("1.08505"),
    currency="EUR",
    time_in_force=TimeInForce.DAY,
)
REPORT = ExecutionReport(
    order_id="V-1",
    cl_ord_id="O-20260102-000001",
    exec_id="E-1",
    exec_type=ExecType.TRADE,
    ord_status=OrdStatus.FILLED,
    account="A1",
    settl_type="0",
    settl_date=dt.date(2026, 1, 6),
    symbol="EUR/USD",
    side=Side.BUY,
    order_qty=Decimal(1_000_000),
    ord_type=OrdType.LIMIT,
    price=Decimal("1.08505"),
    currency="EUR",
    time_in_force=TimeInForce.DAY,
    last_qty=Decimal(1_000_000),
    last_px=Decimal("1.08504"),
    last_spot_rate=Decimal("1.08504"),
    last_forward_points=Decimal(0),
    leaves_qty=Decimal(0),
    cum_qty=Decimal(1_000_000),
    avg_px=Decimal("1.08504"),
    trade_date=dt.date(2026, 1, 2),
    transact_time=NOW_NS,
)


def best(action: Callable[[], Any], seconds: float, rounds: int) -> float:
    """Processor time of one call, seconds: the best of some rounds."""
    found = []
    for _ in range(rounds):
        count, begun = 0, time.process_time()
        while (spent := time.process_time() - begun) < seconds:
            for _ in range(50):
                action()
            count += 50
        found.append(spent / count)
    return min(found)


def pair() -> Callable[[], None]:
    """An order from one session to the other, and its report back."""
    decode = Decoder([NewOrderSingle, ExecutionReport], strict=True)
    sides = []
    for names, role in ((("DESK", "VENUE"), "initiator"), (("VENUE", "DESK"), "acceptor")):
        rules = Rules(*names, role=role, reset="never")
        sides.append(Session(rules, Numbers(fresh=False), monotonic=lambda: 0.0, now_ns=lambda: NOW_NS, decode=decode))
    desk, venue = sides
    desk.begin()
    for speaker, listener in ((desk, venue), (venue, desk)):
        for message in listener.feed(speaker.take()):
            listener.receive(message)

    def trade() -> None:
        for speaker, listener, value in ((desk, venue, ORDER), (venue, desk, REPORT)):
            speaker.send(value.KIND, encode(value))
            _, items = speaker.step()
            (message,) = listener.feed(b"".join(item for item in items if isinstance(item, bytes)))
            (ready,) = listener.receive(message)
            assert ready.value == value

    return trade


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--quick", action="store_true")
    quick = arguments.parse_args().quick
    seconds, rounds = (0.05, 3) if quick else (0.3, 9)
    header = packed([(49, "DESK"), (56, "VENUE"), (34, 123), (52, utc_text(NOW_NS))])
    figures: dict[str, float] = {}
    for name, value in (("order", ORDER), ("report", REPORT)):
        decode, framer = Decoder([type(value)], strict=True), Framer()

        def write(value: Any = value) -> bytes:
            return framed(b"35=%b\x01%b%b" % (value.KIND, header, encode(value)))

        wire = write()
        assert decode(framer.feed(wire)[0]) == value

        def read(decode: Decoder = decode, framer: Framer = framer, wire: bytes = wire) -> Any:
            return decode(framer.feed(wire)[0])

        figures[f"{name}: write"] = best(write, seconds, rounds)
        figures[f"{name}: read"] = best(read, seconds, rounds)
    figures["session: an order and its report"] = best(pair(), seconds, rounds)
    for name, spent in figures.items():
        print(f"{name:36} {spent * 1e6:7.1f} µs {1 / spent:10,.0f} a second")
    told = {name: round(spent * 1e6, 2) for name, spent in figures.items()}
    print(json.dumps({"bench": "fix", "commit": commit(), "machine": machine(), "microseconds": told}))


if __name__ == "__main__":
    main()
