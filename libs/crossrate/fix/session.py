"""The session of FIX 4.4, for both sides: numbers, heartbeats, resends, logon, logout. No socket, no clock of its own.

    initiator: begin ─▶ LOGON_SENT ─ Logon ─▶ ACTIVE ─ Logout, or end() ─▶ LOGOUT_SENT ─▶ ENDED
    acceptor:  NEW ─────────────────── Logon ─▶ ACTIVE ─ …

Whoever has the socket calls `receive` with what came, `tick` when `due` is past, and sends what `take` returns, or what
`step` does once it is stored. Both raise SessionEnded when the connection is to be closed; what there is to send is
sent before.

By FIX 4.4 volume 2: a message whose number is too high waits until those before it have been sent again; one whose
number is too low ends the session, unless it says that it is a possible duplicate. A ResendRequest is answered in any
case, administrative messages by a gap fill.

Where the numbers live is their owner's business (`Numbers`, crossrate.fix.store). With `reset` "logon" every logon
begins at 1 on both sides; with "memory" they go on over reconnections of one process, and begin at 1, asked for with
ResetSeqNumFlag, when the process has none or the venue said that one of ours was too low; with "never" they go on for
as long as they are kept. An acceptor with "logon" takes every Logon to begin at 1, whether or not it says so; what was
sent before is not sent again, and a client that goes on with its old numbers is asked for all of them anew. So it is
for sessions whose messages may be lost and may come twice, such as quotes; with orders it is "never".
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from crossrate.fix.faults import NotLoggedOn, SessionEnded, Throttled
from crossrate.fix.kinds import ADMINISTRATIVE, HEARTBEAT, LOGON, LOGOUT, REJECT, TEST_REQUEST
from crossrate.fix.message import Field, Message, packed
from crossrate.fix.numbers import Changes, Recall, Sent
from crossrate.fix.receipt import WAITING_MAX, Receipt
from crossrate.fix.rules import State

__all__ = ["ADMINISTRATIVE", "REJECT", "WAITING_MAX", "Session", "SessionEnded"]


class Session(Receipt):
    """One connection, and the time without one before it.

    Attributes:
        state: where it stands.
        numbers: as they are.
        framer: of the bytes that come to `feed`.
        rejected: session-level Rejects that the peer sent.
        filled: numbers that the peer passed over instead of sending them again.
        resets: how often the peer had the numbers begin at 1 while the session stood.
    """

    def connected(self) -> None:
        """A client has connected: it has `logon_s` to log on."""
        self._since = self._heard_at = self._monotonic()

    def begin(self) -> None:
        """Sends an initiator's Logon."""
        rules, numbers = self.rules, self.numbers
        self._asked_reset = rules.reset == "logon" or (rules.reset == "memory" and numbers.fresh)
        if self._asked_reset:
            self._outbox.reset()
        numbers.fresh = False
        body: list[Field] = [(98, 0), (108, rules.heartbeat_s), (141, "Y" if self._asked_reset else "N")]
        if rules.next_expected:
            body.append((789, numbers.due))
        if rules.username:
            body.append((553, rules.username))
        if self._password:
            body.append((554, self._password))
        self._become(State.LOGON_SENT)
        self._outbox.administrative(LOGON, body)

    def send(
        self, kind: bytes, body: Sequence[Field] | bytes, header: Iterable[Field] = (), *, offline: bool = True
    ) -> int:
        """Gives an application message its number, and sends it; without a standing session it is sent after a logon.

        Args:
            kind: MsgType.
            body: its fields, or these encoded.
            header: fields of the header beside the session's own, such as PossResend.
            offline: whether it may wait for a logon.

        Returns:
            Its MsgSeqNum.

        Raises:
            NotLoggedOn: it may not wait, or would be lost because the logon resets the numbers.
            Throttled: more than `sent_per_s_max`.
            ValueError: a value has the delimiter in it.
        """
        self.admit(offline=offline)
        made = body if isinstance(body, bytes) else packed(body)
        return self.post(kind, made, packed(header))

    def admit(self, *, offline: bool) -> None:
        """Raises what `send` raises, and counts one message; `post` may follow later."""
        self.require(offline=offline)
        if wait_s := self._sending.take(self._monotonic()):
            raise Throttled(wait_s)

    def require(self, *, offline: bool) -> None:
        """Raises NotLoggedOn as `send` does."""
        rules, active = self.rules, self.state is State.ACTIVE
        if not active and not offline:
            raise NotLoggedOn(f"{rules.name} is not logged on: {self.state.value}")
        if not active and (rules.reset == "logon" or (rules.role == "initiator" and rules.reset == "memory")):
            raise NotLoggedOn(f'{rules.name} may begin at 1 when it logs on; set reset = "never" to send before')

    def post(self, kind: bytes, body: bytes, header: bytes = b"") -> int:
        """Gives a message that was admitted its number, which is returned; both parts are encoded."""
        active, waits = self.state is State.ACTIVE, self.state is State.LOGON_SENT
        return self._outbox.application(kind, header, body, hold=waits, now=active)

    def renew(self) -> None:
        """The numbers begin at 1 without being asked for, because a new session of the schedule has begun."""
        self._outbox.reset()

    def turn_away(self, text: str) -> None:
        """Answers a client's Logon that is not accepted with a Logout.

        Raises:
            SessionEnded: always.
        """
        self._refuse(text)

    def end(self, text: str = "") -> None:
        """Sends the Logout."""
        if self.state in (State.ACTIVE, State.LOGON_SENT):
            self._outbox.administrative(LOGOUT, [(58, text)] if text else [])
            self._become(State.LOGOUT_SENT)

    def step(self) -> tuple[Changes | None, list[bytes | Recall]]:
        """What is to be stored now, and what is to be sent once it is; for a Recall see `again`."""
        return self._outbox.changes(), self._outbox.take()

    def again(self, recall: Recall, sent: Sequence[Sent]) -> bytes:
        """The bytes of a Recall, or of a part of it, out of all stored messages in its range, in order."""
        return self._outbox.again(recall, sent, self._may_resend)

    def take(self) -> bytes:
        """What is to be sent now, for whoever keeps the numbers in memory alone."""
        changes, items = self.step()
        if changes is not None:
            self.numbers.keep(changes)
        recall = self.numbers.recall
        return b"".join(
            item if isinstance(item, bytes) else self.again(item, recall(item.first, item.last)) for item in items
        )

    @property
    def missing(self) -> bool:
        """Whether messages are missing that were asked for again."""
        return bool(self._asked_until)

    @property
    def due(self) -> float:
        """When `tick` has something to do, on the monotonic clock."""
        rules = self.rules
        if self.state is State.LOGON_SENT or self.state is State.NEW:
            return self._since + rules.logon_s
        if self.state is State.LOGOUT_SENT:
            return self._since + rules.logout_s
        silent = self._heard_at + self._patience_s * (2 if self._tested else 1)
        due = min(self._outbox.sent_at + self._heartbeat_s, silent)
        return min(due, self._asked_at + rules.resend_s) if self._asked_until else due

    @property
    def _patience_s(self) -> float:
        return 1.2 * self._heartbeat_s

    def excuse(self) -> None:
        """Nothing was read on purpose: the peer's silence since then means nothing."""
        self._heard_at = self._monotonic()

    def tick(self) -> None:
        """Does what the time asks for.

        Raises:
            SessionEnded: the peer did not answer.
        """
        now, rules, state = self._monotonic(), self.rules, self.state
        if state in (State.NEW, State.LOGON_SENT) and now >= self._since + rules.logon_s:
            what = "answer the logon" if state is State.LOGON_SENT else "log on"
            self._fail(f"the {rules.peer} did not {what} within {rules.logon_s:g} s")
        if state is State.LOGOUT_SENT and now >= self._since + rules.logout_s:
            self._fail(f"the {rules.peer} did not answer the logout")
        if state is not State.ACTIVE:
            return
        if self._asked_until and now >= self._asked_at + rules.resend_s:
            text = f"the {rules.peer} did not send message {self.numbers.due} again within {rules.resend_s:g} s"
            self._refuse(text)
        if self._tested and now >= self._heard_at + 2 * self._patience_s:
            silent_s = now - self._heard_at
            self._fail(f"the {rules.peer} was silent for {silent_s:.1f} s and did not answer a TestRequest")
        if not self._tested and now >= self._heard_at + self._patience_s:
            self._tested = f"test-{self.numbers.out}"
            self._outbox.administrative(TEST_REQUEST, [(112, self._tested)])
        if now >= self._outbox.sent_at + self._heartbeat_s:
            self._outbox.administrative(HEARTBEAT, [])

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole with these bytes, each for `receive`.

        Raises:
            SessionEnded: a client's first bytes are no message.
        """
        messages = self.framer.feed(data)
        if self.state is State.NEW and not messages and self.framer.garbled:
            self._fail("what came first is no FIX message")
        return messages

    def receive(self, message: Message) -> list[Message]:
        """Takes a message, and returns the application messages that are due with it, in order of their numbers.

        Session-level Rejects are among them: what the peer could not read is what its sender must hear of.

        Raises:
            SessionEnded: the peer logged out or broke the session; what was due before is in its `ready`.
        """
        ready: list[Message] = []
        try:
            self._receive(message, ready)
        except SessionEnded as ended:
            ended.ready = ready
            raise
        return ready
