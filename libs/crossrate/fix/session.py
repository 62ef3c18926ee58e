"""The session of a FIX 4.4 initiator: numbers, heartbeats, resends, logon, logout. No socket, no clock of its own.

    begin ─▶ LOGON_SENT ─ Logon ─▶ ACTIVE ─ Logout, or end() ─▶ LOGOUT_SENT ─▶ ENDED

Whoever has the socket calls `receive` with what came, `tick` when `due` is past, and sends what `take` returns. Both
raise SessionEnded when the connection is to be closed; what `take` returns then is sent before.

By FIX 4.4 volume 2: a message whose number is too high waits until those before it have been sent again; one whose
number is too low ends the session, unless it says that it is a possible duplicate. A ResendRequest is answered in any
case, administrative messages by a gap fill.

The numbers live in memory (`Numbers`), as long as their owner keeps them. With `reset` "logon" every logon begins at 1
on both sides; with "memory" they go on over reconnections of one process, and begin at 1, asked for with
ResetSeqNumFlag, when the process has none or the venue said that one of ours was too low.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from crossrate.fix.message import BEGIN_STRING, NANOSECONDS, Field, Message, Times, encoded, utc_text
from crossrate.fix.rules import Numbers, Rules, State

WAITING_MAX = 10_000
"""Messages that wait for one before them."""
SENT_KEPT_MAX = 1_000
"""Messages that can be sent again as they were; older ones are filled by a gap."""

HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT = b"0", b"1", b"2", b"3"
SEQUENCE_RESET, LOGOUT, LOGON = b"4", b"5", b"A"
ADMINISTRATIVE = frozenset((HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON))


class SessionEnded(Exception):
    """The connection is to be closed; the message says why."""


class Session:
    """One connection.

    Attributes:
        state: where it stands.
        numbers: as they are.
        rejected: session-level Rejects that the venue sent.
        filled: numbers that the venue passed over instead of sending them again.
    """

    def __init__(
        self,
        rules: Rules,
        numbers: Numbers,
        *,
        password: str = "",
        monotonic: Callable[[], float],
        now_ns: Callable[[], int],
    ) -> None:
        self._rules = rules
        self._password = password
        self._monotonic = monotonic
        self._now_ns = now_ns
        self._times = Times()
        self._output: list[bytes] = []
        self._waiting: dict[int, Message] = {}
        self._heartbeat_s = float(rules.heartbeat_s)
        self._heard_at = self._sent_at = self._since = monotonic()
        self._tested: str | None = None
        self._asked_until = 0
        self._asked_at = 0.0
        self.numbers = numbers
        self.state = State.NEW
        self.rejected = 0
        self.filled = 0

    # What whoever has the socket calls

    def begin(self) -> None:
        """Sends the Logon."""
        rules, numbers = self._rules, self.numbers
        reset = rules.reset == "logon" or numbers.fresh
        if reset:
            numbers.reset()
        numbers.fresh = False
        body: list[Field] = [(98, 0), (108, rules.heartbeat_s), (141, "Y" if reset else "N")]
        if rules.username:
            body.append((553, rules.username))
        if self._password:
            body.append((554, self._password))
        self._become(State.LOGON_SENT)
        self._send(LOGON, body)

    def send(self, kind: bytes, body: Sequence[Field]) -> None:
        """Sends an application message, which is kept to be sent again."""
        assert self.state is State.ACTIVE, self.state
        sent = self.numbers.sent
        sent[self.numbers.out] = (kind, tuple(body), self._now_ns())
        while len(sent) > SENT_KEPT_MAX:
            sent.popitem(last=False)
        self._send(kind, body)

    def end(self, text: str = "") -> None:
        """Sends the Logout."""
        if self.state in (State.ACTIVE, State.LOGON_SENT):
            self._send(LOGOUT, [(58, text)] if text else [])
            self._become(State.LOGOUT_SENT)

    def take(self) -> bytes:
        """What is to be sent now."""
        output, self._output = b"".join(self._output), []
        return output

    @property
    def missing(self) -> bool:
        """Whether messages are missing that were asked for again."""
        return bool(self._asked_until)

    @property
    def due(self) -> float:
        """When `tick` has something to do, on the monotonic clock."""
        if self.state is State.LOGON_SENT:
            return self._since + self._rules.logon_s
        if self.state is State.LOGOUT_SENT:
            return self._since + self._rules.logout_s
        silent = self._heard_at + self._patience_s * (2 if self._tested else 1)
        due = min(self._sent_at + self._heartbeat_s, silent)
        return min(due, self._asked_at + self._rules.resend_s) if self._asked_until else due

    @property
    def _patience_s(self) -> float:
        return 1.2 * self._heartbeat_s

    def excuse(self) -> None:
        """Nothing was read on purpose: the venue's silence since then means nothing."""
        self._heard_at = self._monotonic()

    def tick(self) -> None:
        """Does what the time asks for.

        Raises:
            SessionEnded: the venue did not answer.
        """
        now = self._monotonic()
        if self.state is State.LOGON_SENT and now >= self._since + self._rules.logon_s:
            self._fail(f"the venue did not answer the logon within {self._rules.logon_s:g} s")
        if self.state is State.LOGOUT_SENT and now >= self._since + self._rules.logout_s:
            self._fail("the venue did not answer the logout")
        if self.state is not State.ACTIVE:
            return
        if self._asked_until and now >= self._asked_at + self._rules.resend_s:
            self._refuse(f"the venue did not send message {self.numbers.due} again within {self._rules.resend_s:g} s")
        if self._tested and now >= self._heard_at + 2 * self._patience_s:
            self._fail(f"the venue was silent for {now - self._heard_at:.1f} s and did not answer a TestRequest")
        if not self._tested and now >= self._heard_at + self._patience_s:
            self._tested = f"test-{self.numbers.out}"
            self._send(TEST_REQUEST, [(112, self._tested)])
        if now >= self._sent_at + self._heartbeat_s:
            self._send(HEARTBEAT, [])

    def receive(self, message: Message) -> list[Message]:
        """Takes a message, and returns the application messages that are due with it, in order of their numbers.

        Raises:
            SessionEnded: the venue logged out or broke the session.
        """
        self._heard_at, self._tested = self._monotonic(), None
        number = self._checked(message)
        kind, numbers = message.kind, self.numbers
        if kind == LOGON:
            # Its number counts only once it is known whether it resets the numbers.
            self._logon(message, number)
        elif self.state is State.LOGON_SENT and kind not in (LOGOUT, REJECT):
            self._refuse(f"the venue's first message is {message.kind!r}, not a Logon")
        if kind == SEQUENCE_RESET and message.get(123) != b"Y":
            self._reset_to(message, number)
            return self._drain()
        if number < numbers.due:
            self._low(message, number)
            return []
        if number > numbers.due:
            self._high(message, number)
            return []
        ready = self._one(message)
        return ready + self._drain() if self._waiting or self._asked_until else ready

    # Numbers

    def _checked(self, message: Message) -> int:
        """The message's number, after what holds for every message."""
        rules = self._rules
        if message.begin_string != BEGIN_STRING:
            self._refuse(f"the venue speaks {message.begin_string.decode('latin-1')}, not FIX.4.4")
        number = message.number(34)
        if not number:
            self._refuse("the venue sent a message without MsgSeqNum")
        assert number is not None
        names = message.text(49), message.text(56)
        if names != (rules.target, rules.sender):
            text = f"CompIDs are {names[0]} to {names[1]}, not {rules.target} to {rules.sender}"
            self._reject(message, number, 9, text)
            self._refuse(text)
        try:
            sent = self._times.nanoseconds(message.get(52))
        except ValueError:
            self._reject(message, number, 1 if not message.get(52) else 6, "SendingTime is missing or no time")
            self._refuse("the venue sent a message without a SendingTime that can be read")
        off_s = (sent - self._now_ns()) / NANOSECONDS
        if abs(off_s) > rules.clock_s:
            self._reject(message, number, 10, "SendingTime accuracy problem")
            self._refuse(f"the venue's SendingTime is {off_s:+.0f} s from our clock, more than {rules.clock_s:g} s")
        return number

    def _low(self, message: Message, number: int) -> None:
        if message.kind == LOGON:
            # The venue has lost its numbers; the next logon asks to begin anew.
            self.numbers.fresh = True
        if message.get(43) == b"Y":
            original = message.get(122)
            if message.kind != SEQUENCE_RESET and not original:
                self._reject(message, number, 1, "OrigSendingTime is missing", 122)
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
            self._ask(number)

    def _ask(self, number: int) -> None:
        self._asked_until, self._asked_at = number, self._monotonic()
        self._send(RESEND_REQUEST, [(7, self.numbers.due), (16, 0)])

    def _drain(self) -> list[Message]:
        """What waited and is due by now."""
        ready: list[Message] = []
        while (message := self._waiting.pop(self.numbers.due, None)) is not None:
            if message.kind in (RESEND_REQUEST, LOGON):
                self._advance()
            else:
                ready += self._one(message)
        due = self.numbers.due
        if self._waiting:
            self._waiting = {number: message for number, message in self._waiting.items() if number > due}
        if self._asked_until and due >= self._asked_until:
            self._asked_until = 0
            if self._waiting:
                self._ask(min(self._waiting))
        return ready

    def _advance(self) -> None:
        self.numbers.due += 1

    # Messages whose number is due

    def _one(self, message: Message) -> list[Message]:
        kind = message.kind
        if kind not in ADMINISTRATIVE:
            self._advance()
            return [message]
        if kind == SEQUENCE_RESET:
            self._fill(message)
            return []
        self._advance()
        if kind == TEST_REQUEST:
            self._send(HEARTBEAT, [(112, message.get(112))])
        elif kind == RESEND_REQUEST:
            self._resend(message)
        elif kind == REJECT:
            self.rejected += 1
            if self.state is State.LOGON_SENT:
                self._fail(f"the venue rejected the logon: {message.text(58) or 'without a reason'}")
            # A request of ours that the venue cannot read is what its owner must hear of.
            return [message]
        elif kind == LOGOUT:
            self._logout(message)
        return []

    def _logon(self, message: Message, number: int) -> None:
        reset = message.get(141) == b"Y"
        if self.state is State.LOGON_SENT:
            asked = self.numbers.out == 2
            if reset and not asked:
                self.numbers.fresh = True
                self._refuse('the venue reset its numbers without being asked; set reset = "logon"')
            if reset:
                self.numbers.due = number
            interval = message.number(108)
            self._heartbeat_s = float(interval or self._rules.heartbeat_s)
            if number >= self.numbers.due:
                self._become(State.ACTIVE)
        elif message.get(43) != b"Y" and number >= self.numbers.due:
            self._refuse("the venue sent a second Logon in one session")

    def _fill(self, message: Message) -> None:
        following, due = message.number(36), self.numbers.due
        if following is None or following <= due:
            self._reject(
                message, due, 5, f"attempt to lower the sequence number, invalid value NewSeqNo={following}", 36
            )
            self._advance()
            return
        self.filled += following - due
        self.numbers.due = following

    def _reset_to(self, message: Message, number: int) -> None:
        """SequenceReset without gap fill: for disasters, its own number means nothing."""
        following = message.number(36)
        if following is None or following < self.numbers.due:
            self._reject(message, number, 5, f"value is incorrect, NewSeqNo={following}", 36)
            return
        self.filled += following - self.numbers.due
        self.numbers.due = following

    def _resend(self, message: Message) -> None:
        """Sends again what is asked for; a gap in place of administrative messages."""
        numbers = self.numbers
        first, last = message.number(7) or 1, message.number(16) or 0
        last = min(last or numbers.out - 1, numbers.out - 1)
        number = first
        while number <= last:
            kept = numbers.sent.get(number)
            if kept is not None:
                kind, body, at = kept
                self._write(kind, number, body, possible_duplicate_of=at)
                number += 1
                continue
            following = next((n for n in numbers.sent if number < n <= last), last + 1)
            body = ((123, "Y"), (36, following))
            self._write(SEQUENCE_RESET, number, body, possible_duplicate_of=self._now_ns())
            number = following

    def _logout(self, message: Message) -> None:
        text = message.text(58)
        if self.state is State.LOGON_SENT:
            if "too low" in text.lower():
                self.numbers.fresh = True
            self._fail(f"the venue refused the logon: {text or 'without a reason'}")
        if self.state is State.ACTIVE:
            self._send(LOGOUT, [])
            self._fail(f"the venue logged out: {text or 'without a reason'}")
        self._fail("logged out")

    # Output

    def _become(self, state: State) -> None:
        self.state, self._since = state, self._monotonic()

    def _reject(self, message: Message, number: int, reason: int, text: str, tag: int | None = None) -> None:
        body: list[Field] = [(45, number), (372, message.kind), (373, reason), (58, text)]
        self._send(REJECT, body if tag is None else [*body, (371, tag)])

    def _refuse(self, text: str) -> None:
        """Logs out because of what the venue did."""
        self._send(LOGOUT, [(58, text)])
        self._fail(text)

    def _fail(self, text: str) -> None:
        self._become(State.ENDED)
        raise SessionEnded(text)

    def _send(self, kind: bytes, body: Sequence[Field]) -> None:
        number, self.numbers.out = self.numbers.out, self.numbers.out + 1
        self._write(kind, number, body)

    def _write(self, kind: bytes, number: int, body: Sequence[Field], *, possible_duplicate_of: int = 0) -> None:
        rules = self._rules
        header: list[Field] = [(35, kind), (49, rules.sender), (56, rules.target), (34, number)]
        if rules.sender_sub:
            header.append((50, rules.sender_sub))
        if rules.target_sub:
            header.append((57, rules.target_sub))
        if possible_duplicate_of:
            header += [(43, "Y"), (122, utc_text(possible_duplicate_of))]
        header.append((52, utc_text(self._now_ns())))
        self._output.append(encoded(header, body))
        self._sent_at = self._monotonic()
