"""What sessions do beyond the standard's cases: resets, queues, limits, what is sent again, what is stored."""

from __future__ import annotations

import pytest

from crossrate.fix.faults import NotLoggedOn, SessionEnded, Throttled
from crossrate.fix.message import Framer, packed
from crossrate.fix.numbers import Changes, Numbers, Recall, Sent
from crossrate.fix.rules import Rules, TokenBucket
from crossrate.fix.session import Session
from tests.unit.fix.conformance import Bench, run

BODY = packed(((11, "a"),))


def test_a_step_is_stored_before_it_is_sent() -> None:
    """Changes name the numbers before and after, and every application message; a recall stands where it was asked."""
    bench = Bench("acceptor")
    bench.session.receive(Framer().feed(bench.written("A", ""))[0])
    changes, items = bench.session.step()
    assert changes == Changes(1, 1, 2, 2, 0, False, ())
    assert len(items) == 1
    assert bench.session.send(b"D", BODY, [(97, "Y")]) == 2
    bench.session.receive(Framer().feed(bench.written("2", "7=1 16=0"))[0])
    bench.session.receive(Framer().feed(bench.written("1", "112=x"))[0])
    changes, items = bench.session.step()
    sent = Sent(2, b"D", b"97=Y\x01", BODY, bench.now_ns())
    assert changes == Changes(2, 2, 4, 4, 0, False, (sent,))
    assert items[1] == Recall(1, 2)
    gap, again = Framer().feed(bench.session.again(items[1], [sent]))
    assert (gap.kind, gap.get(36)) == (b"4", b"2")
    assert (again.get(34), again.get(97), again.get(43), again.get(11)) == (b"2", b"Y", b"Y", b"a")
    assert bench.session.step() == (None, [])


def test_a_recall_may_come_in_parts() -> None:
    """Parts of a range are what the whole is."""
    bench = run("logon", "acceptor")
    sent = [Sent(number, b"D", b"", BODY, bench.now_ns()) for number in (3, 4, 7)]
    whole = bench.session.again(Recall(2, 9), sent)
    parts = bench.session.again(Recall(2, 4), sent[:2]) + bench.session.again(Recall(5, 9), sent[2:])
    assert whole == parts
    assert [(m.number(34), m.number(36)) for m in Framer().feed(whole)] == [
        (2, 3), (3, None), (4, None), (5, 7), (7, None), (8, 10),
    ]  # fmt: skip


def test_an_order_that_is_too_old_is_not_sent_again() -> None:
    """`may_resend` decides; a gap stands in its place."""
    bench = Bench("acceptor")
    kept = Session(
        bench.rules,
        Numbers(6, 1, fresh=False),
        monotonic=lambda: bench.now,
        now_ns=bench.now_ns,
        may_resend=lambda sent: sent.number != 4,
    )
    sent = [Sent(number, b"D", b"", BODY, bench.now_ns()) for number in (3, 4, 5)]
    kinds = [(m.kind, m.number(34)) for m in Framer().feed(kept.again(Recall(3, 5), sent))]
    assert kinds == [(b"D", 3), (b"4", 4), (b"D", 5)]


def test_what_is_sent_during_the_logon_follows_it() -> None:
    """It has the number behind the Logon's, and goes out once the venue has answered, without being asked for."""
    bench = Bench("initiator")
    bench.session.begin()
    bench.listen()
    bench.session.send(b"D", BODY)
    bench.listen()
    assert [message.kind for message in bench.said] == [b"A"]
    bench.hear(bench.written("A", ""))
    assert [(message.kind, message.number(34)) for message in bench.said] == [(b"A", 1), (b"D", 2)]


@pytest.mark.parametrize("reset", ["logon", "memory"])
def test_what_a_reset_would_lose_is_refused(reset: str) -> None:
    """Without a session an initiator that may begin at 1 keeps nothing for later."""
    bench = Bench("initiator", reset=reset)
    with pytest.raises(NotLoggedOn, match='set reset = "never"'):
        bench.session.send(b"D", BODY)
    bench.session.begin()
    with pytest.raises(NotLoggedOn):
        bench.session.send(b"D", BODY)


def test_a_peer_that_may_not_reset_is_refused() -> None:
    """By default it may; numbers and messages are gone then."""
    run("> A 141=Y\n < 5 58=ResetSeqNumFlag_is_not_allowed_on_this_session\n closed", "acceptor", peer_may_reset=False)
    run("> A 34=2 141=Y\n < 5 58=a_Logon_with_ResetSeqNumFlag_has_MsgSeqNum_1,_not_2\n closed", "acceptor")
    bench = run("logon\n ! D\n < D 34=2\n reset\n > A 34=1 141=Y\n < A 34=1 141=Y\n ! D\n < D 34=2", "acceptor")
    assert bench.numbers.out == 3


def test_what_is_missing_is_sent_without_being_asked_for() -> None:
    """NextExpectedMsgSeqNum of either side's Logon shows it, and no ResendRequest is needed."""
    run(
        "logon 789=1\n ! D 11=A\n < D 34=2\n reset\n > A 34=2 789=2\n < A 34=3 789=3\n < D 34=2 43=Y 11=A",
        "acceptor",
        next_expected=True,
    )
    told = {"next_expected": True}
    script = "> A 34=4 789=1\n < A 34=1 789=1\n > 4 34=1 43=Y 123=Y 36=5\n > 1 34=5 112=x\n < 0 112=x"
    run(script, "acceptor", **told)
    run("> A 789=9\n < A\n < 5 58=NextExpectedMsgSeqNum_is_9,_and_our_next_is_2\n closed", "acceptor", **told)
    run(
        "begin\n < A 789=1\n > A 789=2\n ! D 11=A\n < D 34=2\n reset\n begin\n < A 34=3 789=2\n > A 34=2 789=2\n"
        " < D 34=2 43=Y 11=A",
        "initiator",
        next_expected=True,
    )


def test_a_range_of_nothing_is_rejected() -> None:
    """A ResendRequest for what was never sent, or that ends before it begins."""
    run("logon\n > 2 7=9 16=0\n < 3 371=7 373=5\n ! D\n < D\n > 2 7=2 16=1\n < 3 371=16 373=5", "acceptor")


def test_heartbeat_intervals_have_bounds() -> None:
    """An acceptor takes what it is asked for, within them."""
    for interval in ("0", "301"):
        run(f"> A 108={interval}\n < 5 58=HeartBtInt_is_{interval},_not_1_to_300_seconds\n closed", "acceptor")
    run("> A 108=x\n < 3 371=108 373=6\n < 5\n closed", "acceptor")


def test_a_logon_with_wrong_fields_is_not_answered_with_one() -> None:
    """It is rejected, and logged out."""
    run("> A 999=x\n < 3 371=999 372=A 373=0\n < 5\n closed", "acceptor")


def test_what_came_before_the_end_is_delivered() -> None:
    """An order that waited before a Logout that waited: it counts, and the session ends after it."""
    bench = run("logon\n > D 34=3 11=B\n < 2 7=2", "acceptor")
    bench.session._waiting[4] = Framer().feed(bench.written("5", "34=4"))[0]
    with pytest.raises(SessionEnded) as ended:
        bench.session.receive(Framer().feed(bench.written("D", "34=2 43=Y 11=A"))[0])
    assert [message.text(11) for message in ended.value.ready] == ["A", "B"]
    assert bench.numbers.due == 5


def test_sub_ids_are_those_of_the_session() -> None:
    """Where both sides have them."""
    run("logon\n > 0 50=desk\n > 0 50=other\n < 3 371=50 373=9\n < 5\n closed", "acceptor", target_sub="desk")


def test_rates_are_bounded() -> None:
    """So many at once, then one for each of their share of a second."""
    bucket = TokenBucket(10, 0.0)
    assert [bucket.take(0.0) for _ in range(10)] == [0.0] * 10
    assert bucket.take(0.0) == pytest.approx(0.1)
    assert bucket.take(0.1) == 0.0
    assert TokenBucket(0, 0.0).take(0.0) == 0.0
    bench = run("logon", "acceptor", sent_per_s_max=2.0)
    for _ in range(2):
        bench.session.send(b"D", BODY)
    with pytest.raises(Throttled, match=r"in 0\.500 s"):
        bench.session.send(b"D", BODY)


def test_a_value_with_the_delimiter_in_it_is_not_sent() -> None:
    """It would be read as further fields; in data it may stand."""
    bench = run("logon", "acceptor")
    with pytest.raises(ValueError, match="tag 58"):
        bench.session.send(b"D", [(58, "a\x0154=2")])
    assert bench.numbers.out == 2
    assert bench.session.send(b"D", [(95, 3), (96, b"a\x01b")]) == 2


@pytest.mark.parametrize(
    ("wrong", "name"),
    [
        ({"sender": ""}, "sender"),
        ({"target": "a\x0135=D"}, "target"),
        ({"sender_sub": "ü"}, "sender_sub"),
        ({"heartbeat_s": 0}, "heartbeat_s"),
        ({"heartbeat_s_min": 0}, "heartbeat_s_min"),
        ({"time_digits": 4}, "time_digits"),
    ],
)
def test_rules_that_cannot_be_kept_are_refused(wrong: dict, name: str) -> None:
    """The error names the field."""
    with pytest.raises(ValueError, match=name):
        Rules(**{"sender": "US", "target": "THEM"} | wrong)


def test_a_session_has_a_name() -> None:
    """Its CompIDs, with SubIDs where there are."""
    assert Rules("US", "THEM").name == "US→THEM"
    assert Rules("US", "THEM", "desk", "fx").name == "US/desk→THEM/fx"


def test_a_session_that_goes_on_says_so_by_its_numbers() -> None:
    """With "never" a Logon goes on where the stored numbers stand, and asks for nothing."""
    bench = Bench("initiator")
    bench.numbers.out, bench.numbers.due = 40, 30
    bench.connect()
    bench.session.begin()
    bench.listen()
    assert (bench.said[0].number(34), bench.said[0].get(141)) == (40, b"N")
