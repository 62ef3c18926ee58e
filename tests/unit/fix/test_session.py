"""The session of an initiator, without a socket: every rule for numbers and timers."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossrate.fix.message import Framer, Message, encoded, utc_text
from crossrate.fix.rules import Numbers, Rules, State
from crossrate.fix.session import WAITING_MAX, Session, SessionEnded

START_NS = 1_767_366_245_000_000_000


@dataclasses.dataclass
class Talk:
    """A session, and the venue's side of it, spoken by hand."""

    rules: Rules = dataclasses.field(default_factory=lambda: Rules("HOUSE", "VENUE", heartbeat_s=10))
    numbers: Numbers = dataclasses.field(default_factory=Numbers)
    now: float = 100.0
    out: int = 1

    def __post_init__(self) -> None:
        self.framer = Framer()
        self.session = Session(self.rules, self.numbers, password="p", monotonic=lambda: self.now, now_ns=self.now_ns)

    def now_ns(self) -> int:
        return START_NS + round(self.now * 1e9)

    def said(self) -> list[Message]:
        """What the session wants to be sent."""
        return self.framer.feed(self.session.take())

    def kinds(self) -> list[bytes]:
        return [message.kind for message in self.said()]

    def hear(
        self, kind: str, *body, number: int | None = None, duplicate: bool = False, sent: str = ""
    ) -> list[Message]:
        """Has the session receive a message."""
        if number is None:
            number, self.out = self.out, self.out + 1
        header = [(35, kind), (49, "VENUE"), (56, "HOUSE"), (34, number), (52, sent or utc_text(self.now_ns()))]
        header += [(43, "Y"), (122, utc_text(self.now_ns()))] if duplicate else []
        return self.session.receive(Framer().feed(encoded(header, body))[0])

    def log_on(self, *body) -> "Talk":
        self.session.begin()
        self.said()
        self.hear("A", (98, 0), (108, 10), *(body or ((141, "Y"),)))
        assert self.session.state is State.ACTIVE
        return self

    def pass_(self, seconds: float) -> None:
        self.now += seconds
        if self.now >= self.session.due:
            self.session.tick()


def test_a_logon_carries_what_it_should():
    """Heartbeat interval, reset and password; the venue's interval is taken over."""
    talk = Talk(Rules("HOUSE", "VENUE", "desk", "fx", "me", heartbeat_s=10))
    talk.session.begin()
    (logon,) = talk.said()
    tags = [49, 56, 50, 57, 98, 108, 141, 553, 554]
    assert [logon.text(tag) for tag in tags] == ["HOUSE", "VENUE", "desk", "fx", "0", "10", "Y", "me", "p"]
    talk.hear("A", (98, 0), (108, 5), (141, "Y"))
    talk.pass_(5.0)
    assert talk.kinds() == [b"0"]


def test_the_first_message_is_a_logon():
    """Anything else ends the session, and so does no answer at all."""
    talk = Talk()
    talk.session.begin()
    with pytest.raises(SessionEnded, match="not a Logon"):
        talk.hear("0")
    talk = Talk()
    talk.session.begin()
    talk.now += 10
    with pytest.raises(SessionEnded, match="did not answer the logon within 10 s"):
        talk.session.tick()


def test_a_gap_holds_back_what_comes_after_it():
    """What is too high waits; one request is sent; when the gap is closed all of it comes in order, once."""
    talk = Talk().log_on()
    assert [m.number(34) for m in talk.hear("X")] == [2]
    talk.out = 5
    assert talk.hear("X") == []
    assert talk.hear("X") == []
    (request,) = talk.said()
    assert (request.kind, request.get(7), request.get(16)) == (b"2", b"3", b"0")
    assert talk.session.missing
    assert [m.number(34) for m in talk.hear("X", number=3, duplicate=True)] == [3]
    assert [m.number(34) for m in talk.hear("X", number=4, duplicate=True)] == [4, 5, 6]
    assert talk.hear("X", number=5, duplicate=True) == []
    assert not talk.session.missing
    assert talk.session.filled == 0
    assert [m.number(34) for m in talk.hear("X")] == [7]


def test_a_gap_fill_counts_what_it_passes_over():
    """Whoever asked for messages and gets a gap fill knows how many it will never see."""
    talk = Talk().log_on()
    talk.out = 10
    talk.hear("X")
    assert [m.number(34) for m in talk.hear("4", (123, "Y"), (36, 10), number=2, duplicate=True)] == [10]
    assert (talk.session.filled, talk.session.missing) == (8, False)
    assert talk.hear("4", (123, "Y"), (36, 5)) == []
    assert [m.text(58)[:17] for m in talk.said() if m.kind == b"3"] == ["attempt to lower "]


def test_a_second_gap_behind_the_first_is_asked_for_too():
    """When the first gap is closed and another is open, that one is asked for."""
    talk = Talk().log_on()
    talk.hear("X", number=4)
    talk.hear("X", number=8)
    talk.said()
    talk.hear("X", number=2, duplicate=True)
    assert [m.number(34) for m in talk.hear("X", number=3, duplicate=True)] == [3, 4]
    (request,) = talk.said()
    assert (request.kind, request.get(7)) == (b"2", b"5")


def test_a_gap_that_stays_ends_the_session():
    """The venue has thirty seconds to send again; and what waits is bounded."""
    talk = Talk().log_on()
    talk.hear("X", number=4)
    for _ in range(5):
        talk.now += 5
        talk.hear("0", number=4 + _ + 1)
        talk.session.tick()
    talk.now += 6
    with pytest.raises(SessionEnded, match="did not send message 2 again"):
        talk.session.tick()
    talk = Talk().log_on()
    for number in range(3, WAITING_MAX + 3):
        talk.hear("0", number=number)
    with pytest.raises(SessionEnded, match="message 2 is missing"):
        talk.hear("0", number=WAITING_MAX + 3)


def test_a_reset_without_gap_fill_ignores_its_own_number():
    """SequenceReset-Reset sets the next number, but never back."""
    talk = Talk().log_on()
    talk.hear("4", (123, "N"), (36, 50), number=999)
    assert [m.number(34) for m in talk.hear("X", number=50)] == [50]
    talk.hear("4", (123, "N"), (36, 3), number=999)
    assert talk.kinds() == [b"3"]
    assert [m.number(34) for m in talk.hear("X", number=51)] == [51]


def test_a_resend_request_is_answered_even_behind_a_gap():
    """Two sides that both miss something would wait for each other otherwise."""
    talk = Talk().log_on()
    talk.session.send(b"V", [(262, "one")])
    talk.said()
    talk.hear("2", (7, 1), (16, 0), number=9)
    said = talk.said()
    assert [m.kind for m in said] == [b"4", b"V", b"2"]
    assert (said[0].number(34), said[0].number(36)) == (1, 2)
    assert (said[1].number(34), said[1].get(43), said[1].text(262)) == (2, b"Y", "one")


def test_timers():
    """A heartbeat after silence of ours, a TestRequest after the venue's, the end after that."""
    talk = Talk().log_on()
    talk.pass_(10)
    assert talk.kinds() == [b"0"]
    talk.pass_(2)
    (test,) = talk.said()
    assert test.kind == b"1"
    talk.hear("0", (112, test.text(112)))
    talk.pass_(11.9)
    assert b"1" not in talk.kinds()
    talk.pass_(0.2)
    assert talk.kinds() == [b"1"]
    talk.pass_(11)
    with pytest.raises(SessionEnded, match="did not answer a TestRequest"):
        talk.pass_(1)


def test_what_breaks_the_session():
    """Each of these is told to the venue, and ends it."""
    for kind, how, words in (
        ("0", {"number": 0}, "without MsgSeqNum"),
        ("0", {"number": 1}, "MsgSeqNum too low, expecting 2 but received 1"),
        ("0", {"sent": "20200101-00:00:00"}, "SendingTime is"),
        ("0", {"sent": "yesterday"}, "SendingTime that can be read"),
        ("A", {}, "second Logon"),
    ):
        talk = Talk().log_on()
        with pytest.raises(SessionEnded, match=words):
            talk.hear(kind, **how)
        assert talk.kinds()[-1] == b"5"
        assert talk.session.state is State.ENDED


def test_numbers_outlive_a_connection_if_they_shall():
    """With "memory" the second logon goes on; a venue that says "too low" has the third begin anew."""
    rules = Rules("HOUSE", "VENUE", heartbeat_s=10, reset="memory")
    first = Talk(rules).log_on()
    first.hear("X")
    second = Talk(rules, first.numbers, out=3)
    second.session.begin()
    (logon,) = second.said()
    assert (logon.number(34), logon.get(141)) == (2, b"N")
    with pytest.raises(SessionEnded, match="MsgSeqNum too low"):
        second.hear("5", (58, "MsgSeqNum too low, expecting 9 but received 2"))
    third = Talk(rules, first.numbers)
    third.session.begin()
    (logon,) = third.said()
    assert (logon.number(34), logon.get(141)) == (1, b"Y")


VALUES = st.one_of(st.sampled_from(["Y", "N", "0", "1", "7", "99", "x", "-3", "9" * 30]), st.integers(0, 20).map(str))
TAGS = st.sampled_from([7, 16, 36, 43, 45, 58, 98, 108, 112, 122, 123, 141, 372])


@given(
    st.lists(
        st.tuples(st.sampled_from("012345AXWYj"), st.integers(0, 15), st.lists(st.tuples(TAGS, VALUES), max_size=4)),
        max_size=30,
    )
)
def test_whatever_a_venue_says_the_session_goes_on_or_ends(said):
    """Nothing but SessionEnded is raised, and application messages come in order, each number once."""
    talk, got = Talk().log_on(), []
    try:
        for kind, number, body in said:
            got += [m.number(34) for m in talk.hear(kind, *body, number=number) if m.kind != b"3"]
            talk.now += 3
            talk.session.tick()
            talk.said()
    except SessionEnded:
        assert talk.session.state is State.ENDED
    assert got == sorted(set(got))


def test_we_log_out_in_good_order():
    """Our Logout is answered, or the venue is left after two seconds."""
    talk = Talk().log_on()
    talk.session.end("bye")
    assert [m.text(58) for m in talk.said()] == ["bye"]
    with pytest.raises(SessionEnded, match="logged out"):
        talk.hear("5")
    talk = Talk().log_on()
    talk.session.end()
    talk.now += 2
    with pytest.raises(SessionEnded, match="did not answer the logout"):
        talk.session.tick()
