"""What is behind a session, and what it does in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from crossrate.fix.codec import encode
from crossrate.fix.message import Field, Message, packed
from crossrate.fix.session import Session


class Disconnected(Exception):
    """The connection cannot be made, or has ended otherwise than by the session; the message says so in words."""


class Application(Protocol):
    """What is behind a session."""

    async def received(self, message: Message, unit: Unit) -> None:
        """Takes a message whose number is due, in order; exactly once, if its effects are in `unit.transaction`.

        It sends by `unit`; Endpoint.unit would wait for this one to end.

        `message.value` is what the decoder made of it. Session-level Rejects (kind 3) of what was sent come too. An
        exception rolls everything back and ends the connection, and the message comes again.
        """

    async def logged_on(self) -> None:
        """The session stands."""

    async def logged_out(self, reason: str) -> None:
        """It stands no more."""


class Unit:
    """What the application does in one transaction.

    Attributes:
        transaction: the store's.
        numbers: MsgSeqNum of each message that was sent, in order; filled before the commit.
    """

    def __init__(self, session: Session, transaction: Any, *, offline: bool) -> None:
        self._session, self._offline = session, offline
        self._posts: list[tuple[bytes, bytes, bytes, bool]] = []
        self.transaction = transaction
        self.numbers: list[int] = []

    def send(
        self, message: Any, body: Sequence[Field] | None = None, header: Iterable[Field] = (), *,
        offline: bool | None = None,
    ) -> None:  # fmt: skip
        """Sends a message once the transaction is committed.

        Args:
            message: a typed value, or a MsgType.
            body: fields of the body, with a MsgType.
            header: fields of the header beside the session's own, such as PossResend.
            offline: whether it may wait for the next logon, to go as a possible duplicate then; by default what
                answers a received message may, and what begins something may not.

        Raises:
            NotLoggedOn: it may not wait. It may come from the end of the transaction too, which is rolled back then.
            Throttled: the session may not send more now.
            ValueError: a field is wrong or missing.
        """
        kind, data = (message, packed(body or ())) if isinstance(message, bytes) else (message.KIND, encode(message))
        extra = packed(header)
        waits = self._offline if offline is None else offline
        self._session.admit(offline=waits)
        self._posts.append((kind, data, extra, waits))

    def check(self) -> None:
        """Raises NotLoggedOn if something may not wait and has to by now."""
        for *_, offline in self._posts:
            self._session.require(offline=offline)

    def post(self) -> None:
        """Gives what was sent its numbers."""
        self.numbers += [self._session.post(kind, body, header) for kind, body, header, _ in self._posts]
        self._posts.clear()
