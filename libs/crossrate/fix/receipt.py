"""What a FIX 4.4 session does with a message that came: numbers, gaps, administrative messages, rejects.

The half of crossrate.fix.session that has no timers; see there.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

from crossrate.fix.checks import Checks
from crossrate.fix.faults import BusinessFault, Fault, RejectReason, SessionEnded
from crossrate.fix.kinds import (
    ADMINISTRATIVE,
    BUSINESS_REJECT,
    HEARTBEAT,
    LOGON,
    LOGOUT,
    REJECT,
    RESEND_REQUEST,
    SEQUENCE_RESET,
    TEST_REQUEST,
)
from crossrate.fix.message import BEGIN_STRING, Field, Framer, Message, packed
from crossrate.fix.numbers import Numbers, Sent
from crossrate.fix.outbox import Outbox, route_back
from crossrate.fix.rules import Rules, State, TokenBucket

WAITING_MAX = 10_000
"""Messages that wait for one before them."""


class Receipt(Checks):
    """The inbound half of one session."""

    def __init__(
        self,
        rules: Rules,
        numbers: Numbers,
        *,
        password: str = "",
        monotonic: Callable[[], float],
        now_ns: Callable[[], int],
        decode: Callable[[Message], Any] | None = None,
        may_resend: Callable[[Sent], bool] | None = None,
    ) -> None:
        """A session that has not begun.

        Args:
            rules: what it is told.
            numbers: where it goes on.
            password: of the initiator's logon.
            monotonic: how much time has passed, seconds.
            now_ns: the clock of SendingTime, nanoseconds since 1970 UTC.
            decode: makes the value of each message; its Fault is answered with a Reject, its BusinessFault with a
                BusinessMessageReject, and the message is not delivered. Without one fields are not checked.
            may_resend: whether a message that the peer asks for goes again; otherwise it is filled by a gap.
        """
        super().__init__(rules, now_ns)
        self._password = password
        self._monotonic = monotonic
        self._decode, self._may_resend = decode, may_resend
        self._outbox = Outbox(rules, numbers, monotonic, now_ns)
        self._waiting: dict[int, Message] = {}
        self._heartbeat_s = float(rules.heartbeat_s)
        self._heard_at = self._since = monotonic()
        self._receiving, self._sending = (
            TokenBucket(rate, self._since) for rate in (rules.received_per_s_max, rules.sent_per_s_max)
        )
        self._tested: str | None = None
        self._asked_until = 0
        self._asked_at = 0.0
        self._asked_reset = False
        self.numbers = numbers
        self.framer = Framer(rules.message_bytes_max)
        self.state = State.NEW
        self.rejected = 0
        self.filled = 0
        self.resets = 0

    def _receive(self, message: Message, ready: list[Message]) -> None:
        self._heard_at, self._tested = self._monotonic(), None
        kind, numbers, rules = message.kind, self.numbers, self.rules
        if self._receiving.take(self._heard_at):
            self._refuse(f"more than {rules.received_per_s_max:g} messages a second")
        if self.state is State.NEW:
            self._first(message)
        try:
            number = self.checked(message)
        except Fault as fault:
            self._faulty(message, fault)
            return
        if kind == LOGON:
            # Its number counts only once it is known whether it resets the numbers.
            self._logon(message, number)
        elif self.state is State.LOGON_SENT and kind not in (LOGOUT, REJECT):
            self._refuse(f"the {rules.peer}'s first message is {message.kind!r}, not a Logon")
        if kind == SEQUENCE_RESET and message.get(123) != b"Y":
            self._reset_to(message, number)
            self._drain(ready)
        elif number < numbers.due:
            self._low(message, number)
        elif number > numbers.due:
            self._high(message, number)
        else:
            self._one(message, ready)
            if self._waiting or self._asked_until:
                self._drain(ready)

    # Numbers

    def _first(self, message: Message) -> None:
        """A client's first message: whoever is not known gets no answer."""
        if message.kind != LOGON:
            self._fail(f"the client's first message is {message.kind!r}, not a Logon")
        try:
            self.checked(message)
        except Fault as fault:
            self._fail(str(fault))

    def _faulty(self, message: Message, fault: Fault) -> None:
        """A header that cannot be right."""
        number = message.number(34)
        if fault.reason in (RejectReason.REQUIRED_TAG_MISSING, RejectReason.TAG_WITHOUT_VALUE) and fault.tag != 34:
            self._reject(message, fault)
            if number == self.numbers.due:
                self._advance()
            return
        if number and message.begin_string == BEGIN_STRING:
            self._reject(message, fault)
        self._refuse(str(fault))

    def _low(self, message: Message, number: int) -> None:
        if message.kind == LOGON:
            # The venue has lost its numbers; the next logon asks to begin anew.
            self.numbers.fresh = True
        if message.possible_duplicate:
            try:
                self.check_original(message)
            except Fault as fault:
                self._reject(message, fault)
                if fault.reason is RejectReason.SENDING_TIME_ACCURACY:
                    self._refuse(str(fault))
            return
        if message.kind == LOGOUT:
            self._logout(message)
        self._refuse(f"MsgSeqNum too low, expecting {self.numbers.due} but received {number}")

    def _high(self, message: Message, number: int) -> None:
        if message.kind == RESEND_REQUEST:
            self._resend(message)
        if message.kind == LOGOUT:
            self._logout(message)
        if len(self._waiting) >= WAITING_MAX:
            self._refuse(f"message {self.numbers.due} is missing, and {WAITING_MAX} after it have come")
        self._waiting[number] = message
        if not self._asked_until:
            # Whoever was told what we expect next sends it without being asked.
            told = message.kind == LOGON and self.rules.next_expected and message.number(789) is not None
            self._ask(number, silent=told)

    def _ask(self, number: int, *, silent: bool = False) -> None:
        self._asked_until, self._asked_at = number, self._monotonic()
        if not silent:
            self._outbox.administrative(RESEND_REQUEST, [(7, self.numbers.due), (16, 0)])

    def _drain(self, ready: list[Message]) -> None:
        """What waited and is due by now."""
        while (message := self._waiting.pop(self.numbers.due, None)) is not None:
            if message.kind in (RESEND_REQUEST, LOGON):
                self._advance()
            else:
                self._one(message, ready)
        due = self.numbers.due
        if self._waiting:
            self._waiting = {number: message for number, message in self._waiting.items() if number > due}
        if self._asked_until and due >= self._asked_until:
            self._asked_until = 0
            if self._waiting:
                self._ask(min(self._waiting))

    def _advance(self) -> None:
        self.numbers.due += 1

    # Messages whose number is due

    def _one(self, message: Message, ready: list[Message]) -> None:
        kind = message.kind
        if not self._sound(message):
            self._advance()
            return
        if kind not in ADMINISTRATIVE:
            self._advance()
            ready.append(message)
            return
        if kind == SEQUENCE_RESET:
            self._fill(message)
            return
        self._advance()
        if kind == TEST_REQUEST:
            self._outbox.administrative(HEARTBEAT, [(112, message.get(112))])
        elif kind == RESEND_REQUEST:
            self._resend(message)
        elif kind == REJECT:
            self.rejected += 1
            if self.state is State.LOGON_SENT:
                self._fail(f"the {self.rules.peer} rejected the logon: {message.text(58) or 'without a reason'}")
            ready.append(message)
        elif kind == LOGOUT:
            self._logout(message)

    def _sound(self, message: Message) -> bool:
        """Whether a message's fields are right; if not it is rejected."""
        try:
            if message.possible_duplicate:
                self.check_original(message)
            if self._decode is not None:
                message.value = self._decode(message)
        except Fault as fault:
            self._reject(message, fault)
            if message.kind == LOGON:
                self._refuse(str(fault))
            # Whoever leaves is not kept for a wrong field.
            return message.kind == LOGOUT
        except BusinessFault as fault:
            self.refuse_business(message, fault)
            return False
        return True

    def refuse_business(self, message: Message, fault: BusinessFault) -> None:
        """Sends a BusinessMessageReject of a message that came."""
        body: list[Field] = [(45, message.number(34) or 0), (58, str(fault)), (372, message.kind)]
        body += [(379, fault.reference)] if fault.reference else []
        active = self.state is State.ACTIVE
        made = packed([*body, (380, int(fault.reason))])
        self._outbox.application(BUSINESS_REJECT, route_back(message), made, hold=False, now=active)

    # Logon, resets, logout

    def _logon(self, message: Message, number: int) -> None:
        if self.state is State.NEW or (self.state is State.ACTIVE and message.get(141) == b"Y"):
            self._accept(message, number)
        elif self.state is State.LOGON_SENT:
            self._accepted(message, number)
        elif not message.possible_duplicate and number >= self.numbers.due:
            self._refuse(f"the {self.rules.peer} sent a second Logon in one session")

    def _accepted(self, message: Message, number: int) -> None:
        """The venue's answer to our Logon."""
        reset = message.get(141) == b"Y"
        if reset and not self._asked_reset:
            self.numbers.fresh = True
            self._refuse('the venue reset its numbers without being asked; one without orders may set reset = "logon"')
        if reset:
            self.numbers.due = number
        self._heartbeat_s = float(message.number(108) or self.rules.heartbeat_s)
        if number >= self.numbers.due:
            self._become(State.ACTIVE)
            self._expected(message)
            self._outbox.release()

    def _accept(self, message: Message, number: int) -> None:
        """A Logon that asks: a client's first, or one that resets the numbers while the session stands."""
        rules = self.rules
        reset = message.get(141) == b"Y"
        anew = reset or (rules.reset == "logon" and self.state is State.NEW)
        due = 1 if anew else self.numbers.due
        self._check_logon(message)
        if reset and not rules.peer_may_reset:
            self._refuse("ResetSeqNumFlag is not allowed on this session")
        if reset and number != 1:
            self._refuse(f"a Logon with ResetSeqNumFlag has MsgSeqNum 1, not {number}")
        if not reset and number < due:
            if message.possible_duplicate:
                self._fail("the client's first message is a possible duplicate")
            self._refuse(f"MsgSeqNum too low, expecting {due} but received {number}")
        if message.get(98, b"0") != b"0":
            self._refuse(f"EncryptMethod is {message.text(98)}, not 0")
        interval = message.number(108)
        if interval is None or not rules.heartbeat_s_min <= interval <= rules.heartbeat_s_max:
            span = f"{rules.heartbeat_s_min} to {rules.heartbeat_s_max}"
            self._refuse(f"HeartBtInt is {message.text(108) or 'missing'}, not {span} seconds")
        if anew:
            # What was on its way in a session that stands is passed over with the old numbers.
            self.resets += self.state is State.ACTIVE
            self._outbox.reset()
            self._waiting.clear()
            self._asked_until = 0
        self._heartbeat_s = float(interval)
        expected = number + 1 if number == due else due
        body: list[Field] = [(98, 0), (108, interval)]
        body += [(141, "Y")] if reset else []
        told = rules.next_expected and message.number(789) is not None
        body += [(789, expected)] if told else []
        self._become(State.ACTIVE)
        self._outbox.administrative(LOGON, body)
        self._expected(message)

    def _check_logon(self, message: Message) -> None:
        """A Logon with wrong fields is not answered with one."""
        try:
            if self._decode is not None and message.get(108):
                self._decode(message)
        except Fault as fault:
            self._reject(message, fault)
            self._refuse(str(fault))

    def _expected(self, message: Message) -> None:
        """Sends again what the peer's NextExpectedMsgSeqNum shows to be missing."""
        expected, logon = message.number(789), self.numbers.out - 1 - self._outbox.held
        if not self.rules.next_expected or expected is None:
            return
        if expected > self.numbers.out:
            self._refuse(f"NextExpectedMsgSeqNum is {expected}, and our next is {self.numbers.out}")
        if expected < logon:
            self._outbox.recall(max(expected, 1), logon - 1)

    def _fill(self, message: Message) -> None:
        following, due = message.number(36), self.numbers.due
        if following is None or following <= due:
            text = f"attempt to lower the sequence number, invalid value NewSeqNo={following}"
            self._reject(message, Fault(RejectReason.VALUE_INCORRECT, 36), text)
            self._advance()
            return
        self.filled += following - due
        self.numbers.due = following

    def _reset_to(self, message: Message, number: int) -> None:
        """SequenceReset without gap fill: for disasters, its own number means nothing."""
        following = message.number(36)
        if following is None or following < self.numbers.due:
            self._reject(message, Fault(RejectReason.VALUE_INCORRECT, 36))
            return
        self.filled += following - self.numbers.due
        self.numbers.due = following

    def _resend(self, message: Message) -> None:
        """Has what is asked for sent again."""
        newest, first = self.numbers.out - 1, message.number(7) or 1
        last = message.number(16) or newest
        if first > newest or last < first:
            # Nothing would come, and the peer would wait.
            self._reject(message, Fault(RejectReason.VALUE_INCORRECT, 7 if first > newest else 16))
            return
        self._outbox.recall(first, min(last, newest))

    def _logout(self, message: Message) -> None:
        text = message.text(58)
        peer = self.rules.peer
        if self.state is State.LOGON_SENT:
            if "too low" in text.lower():
                self.numbers.fresh = True
            self._fail(f"the {peer} refused the logon: {text or 'without a reason'}")
        if self.state is State.ACTIVE:
            self._outbox.administrative(LOGOUT, [])
            self._fail(f"the {peer} logged out: {text or 'without a reason'}")
        self._fail("logged out")

    # Output

    def _become(self, state: State) -> None:
        self.state, self._since = state, self._monotonic()

    def _reject(self, message: Message, fault: Fault, text: str = "") -> None:
        body: list[Field] = [(45, message.number(34) or 0), (58, text or str(fault))]
        body += [(371, fault.tag)] if fault.tag is not None else []
        body += [(372, message.kind), (373, int(fault.reason))]
        self._outbox.administrative(REJECT, body, route_back(message))

    def _refuse(self, text: str) -> NoReturn:
        """Logs out because of what the peer did."""
        self._outbox.administrative(LOGOUT, [(58, text)])
        self._fail(text)

    def _fail(self, text: str) -> NoReturn:
        self._become(State.ENDED)
        raise SessionEnded(text)
