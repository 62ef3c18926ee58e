"""What a session may be set to where peers differ; most of it was learnt from QuickFIX's scripts."""

from __future__ import annotations

import pytest

from crossrate.fix.faults import Fault, NotLoggedOn, RejectReason
from crossrate.fix.message import Framer, encoded
from crossrate.fix.orders import NewOrderSingle
from crossrate.fix.reader import Decoder
from crossrate.fix.rules import Rules
from tests.unit.fix.conformance import run

ORDER = [(11, "a"), (55, "EUR/USD"), (54, 1), (60, "20260102-15:04:05.678"), (40, 1)]


def test_an_acceptor_may_begin_every_logon_at_1() -> None:
    """A client that does not ask for it finds both numbers at 1, and what was sent before is gone."""
    script = (
        "logon\n > D\n = D\n ! D 11=A\n < D 34=2\n reset\n > A 34=1\n < A 34=1 !141\n > 2 34=2 7=1 16=0\n < 4 34=1 36=2"
    )
    bench = run(script, "acceptor", reset="logon")
    assert (bench.numbers.out, bench.numbers.due) == (2, 3)


def test_by_itself_an_acceptor_goes_on_with_its_numbers() -> None:
    """Only an initiator begins at 1 unless it is told otherwise."""
    assert (Rules("US", "THEM").reset, Rules("US", "THEM", role="acceptor").reset) == ("logon", "never")


def test_a_number_that_is_too_high_then_is_asked_about_from_1() -> None:
    """A client that goes on with its old numbers is asked for all of them."""
    run("logon\n > 0\n > 0\n reset\n > A 34=4\n < A 34=1\n < 2 34=2 7=1 16=0", "acceptor", reset="logon")


def test_a_logon_that_is_refused_begins_nothing() -> None:
    """The numbers stay, so that what was sent is still to be had."""
    script = "logon\n ! D 11=A\n < D 34=2\n reset\n > A 34=1 98=2\n < 5 34=3\n closed"
    assert run(script, "acceptor", reset="logon").numbers.due == 2


def test_what_would_be_forgotten_with_the_next_logon_is_not_taken() -> None:
    """A message that would have to wait for a Logon which begins at 1 raises NotLoggedOn, on either side."""
    for role in ("acceptor", "initiator"):
        bench = run("logon\n > 5\n < 5\n closed", role, reset="logon")
        bench.connect()
        with pytest.raises(NotLoggedOn, match="may begin at 1"):
            bench.session.send(b"D", b"", offline=True)


@pytest.mark.parametrize("role", ["acceptor", "initiator"])
def test_a_reset_of_a_standing_session_is_followed_and_counted(role: str) -> None:
    """Both numbers begin at 1; whoever waits for answers sees that he has to ask."""
    bench = run("logon\n > 0\n > A 34=1 141=Y\n < A 34=1 141=Y\n > 1 34=2 112=X\n < 0 34=2 112=X", role)
    assert (bench.session.resets, bench.session.filled) == (1, 0)


@pytest.mark.parametrize("role", ["acceptor", "initiator"])
def test_a_reset_of_a_standing_session_may_be_refused(role: str) -> None:
    """The session ends with the reason, and the numbers stay."""
    text = "58=ResetSeqNumFlag_is_not_allowed_on_this_session"
    bench = run(f"logon\n > 0\n > A 34=1 141=Y\n < 5 {text}\n closed", role, peer_may_reset=False)
    assert bench.numbers.due == 3


def test_tags_from_5000_on_are_taken_unless_they_are_refused() -> None:
    """A strict decoder keeps them as the parties' own, or rejects them as others; a lenient one keeps all."""
    header = [(35, "D"), (49, "A"), (56, "B"), (34, 7), (52, "20260102-15:04:05.678")]
    (message,) = Framer().feed(encoded(header, [*ORDER, (5000, "x")]))
    for settings in ({}, {"strict": True}, {"user_defined": False}):
        assert Decoder([NewOrderSingle], **settings)(message).extra == ((5000, b"x"),)
    with pytest.raises(Fault) as found:
        Decoder([NewOrderSingle], strict=True, user_defined=False)(message)
    assert (found.value.reason, found.value.tag) == (RejectReason.INVALID_TAG_NUMBER, 5000)


def test_a_lenient_decoder_takes_any_security_type() -> None:
    """What a venue writes there is no reason to lose its report."""
    header = [(35, "D"), (49, "A"), (56, "B"), (34, 7), (52, "20260102-15:04:05.678")]
    (message,) = Framer().feed(encoded(header, [*ORDER, (167, "OURS")]))
    assert Decoder([NewOrderSingle])(message).security_type == "OURS"
