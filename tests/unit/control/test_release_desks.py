"""Desks of accounts as evidence: whose an account is, and a candidate that is wrong for one desk alone."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest
import structlog

from crossrate.api.ledger.v1.account_events_pb2 import AccountChanged
from crossrate.events import EventsUnavailable
from services.control.releases.business import Judged
from services.control.releases.calls import Ended
from services.control.releases.desks import SUBJECT, Desks
from services.control.releases.judging import Analyst
from services.control.releases.parts import Business
from services.control.releases.specification import Analysis

PATH = "/crossrate.api.trading.v1.TradingService/PlaceOrder"
DESKS = ("spot", "options")


def fact(account: str, desk: str) -> bytes:
    """What ledger says when an account is opened or changed."""
    changed = AccountChanged()
    changed.account.account, changed.account.desk = account, desk
    return changed.SerializeToString()


class Facts:
    """A bus whose stream has some facts; it is away at first."""

    def __init__(self, *payloads: bytes, readable: bool = True) -> None:
        self._payloads, self._readable = payloads, readable
        self.asked: list[int] = []
        self.at_end = asyncio.Event()

    def reads(self, stream: str) -> bool:
        """Whether control may read the stream."""
        return self._readable and stream == "ledger"

    async def read(self, stream: str, after_sequence: int, subject: str) -> list[Any]:
        """Two facts at a time."""
        assert subject == SUBJECT
        self.asked.append(after_sequence)
        if len(self.asked) == 1:
            raise EventsUnavailable("away")
        page = list(enumerate(self._payloads, 1))[after_sequence : after_sequence + 2]
        if not page:
            self.at_end.set()
        return [type("Event", (), {"sequence": n, "payload": payload}) for n, payload in page]


async def test_an_accounts_desk_is_the_one_that_was_said_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """Facts are read page by page to the end, after a bus that was away as well; what is no fact is passed over."""
    monkeypatch.setattr("services.control.releases.desks.UNREACHED_S", 0.0)
    facts = Facts(fact("a", "spot"), fact("b", "spot"), b"\xff", fact("a", "options"))
    desks = Desks(facts, structlog.get_logger())  # type: ignore[arg-type]
    reading = asyncio.create_task(desks.run())
    async with asyncio.timeout(30):
        await facts.at_end.wait()
    reading.cancel()
    await asyncio.gather(reading, return_exceptions=True)
    assert [desks.of(account) for account in ("a", "b", "c")] == ["options", "spot", ""]
    assert facts.asked[:4] == [0, 0, 2, 4]


async def test_where_control_may_not_read_ledger_no_desk_is_known() -> None:
    """Nothing is asked then, and nothing waits."""
    facts = Facts(fact("a", "spot"), readable=False)
    desks = Desks(facts, structlog.get_logger())  # type: ignore[arg-type]
    await desks.run()
    assert (desks.of("a"), facts.asked) == ("", [])


def desk_of(account: str) -> str:
    """Every second account is of the same desk; the last one is nobody's."""
    number = int(account.rpartition("-")[2])
    return DESKS[number % 2] if number < 39 else ""


def test_what_is_wrong_for_one_desk_is_found_and_named() -> None:
    """Accounts of one desk fail now and then on the candidate, those of the other never; an account without a desk
    counts for all alone."""
    for wrong, found in (("options", True), ("", False)):
        chance = random.Random(4)
        analyst = Analyst(Analysis(errors_absolute=0.3), lambda path: True, keyed=True, desk_of=desk_of)
        for _ in range(60):
            block = [
                Ended(PATH, n < 20, n < 20 and desk_of(name) == wrong and chance.random() < 0.55, 0.002, name)
                for n in range(40)
                for name in [f"account-{n}"]
            ]
            analyst.look(block)
        segments = {f.segment: f.outcome for f in analyst.findings() if f.metric == "errors"}
        assert ("errors of desk options fails" in analyst.against) is found, analyst.against
        assert segments["desk spot"] != "FAIL"
        assert {s for s in segments if s.startswith("desk ")} == {"desk spot", "desk options"}


def test_orders_are_tested_by_desk() -> None:
    """The desk whose orders the candidate refuses is named; after a restart its counts go on."""
    rule = Business(metric="reject_share", tolerance=0.1)
    chance = random.Random(6)

    def made() -> Analyst:
        return Analyst(Analysis(errors_absolute=0.3), lambda path: True, business=[rule], desk_of=desk_of)

    analyst = made()
    for second in range(80):
        analyst.look(
            [],
            [
                Judged(
                    "reject_share", f"account-{n}", "EUR/USD", n < 20, n < 20 and n % 2 == 0 and chance.random() < 0.5
                )
                for n in range(40)
            ],
        )
        if second == 3:
            state = analyst.state()
            analyst = made()
            analyst.restore(state)
    outcomes = {f.segment: f.outcome for f in analyst.findings() if f.metric == "reject_share"}
    assert outcomes["desk spot"] == "FAIL"
    assert outcomes["desk options"] == "PASS"
    assert "reject_share of desk spot fails" in analyst.against
