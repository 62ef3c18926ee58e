"""What a FIX session is told, and where it stands."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Literal

from crossrate.fix.message import MESSAGE_BYTES_MAX
from crossrate.fix.numbers import Numbers

__all__ = ["Numbers", "Rules", "State", "TokenBucket"]


class State(enum.Enum):
    """Where a session stands."""

    NEW = "new"
    LOGON_SENT = "logon sent"
    ACTIVE = "active"
    LOGOUT_SENT = "logout sent"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Rules:
    """What a session is told.

    Attributes:
        sender: our SenderCompID.
        target: the peer's CompID.
        sender_sub: our SenderSubID; empty for none.
        target_sub: the peer's TargetSubID; empty for none.
        username: Username of the logon; empty for none.
        role: who sends the first Logon.
        heartbeat_s: what an initiator asks for; the venue's answer counts. An acceptor takes what it is asked for.
        heartbeat_s_min: an acceptor refuses less.
        heartbeat_s_max: an acceptor refuses more.
        reset: when numbers begin at 1, see crossrate.fix.session; by default "logon" for an initiator, "never" for an
            acceptor.
        peer_may_reset: follow a Logon with ResetSeqNumFlag; otherwise it is refused.
        next_expected: send NextExpectedMsgSeqNum, and what the peer's shows to be missing, without being asked.
        logon_s: how long the peer may take to log on, or to answer a logon.
        logout_s: how long it may take to answer a logout.
        resend_s: how long it may take to send again what is missing.
        clock_s: how far a SendingTime may be from our clock.
        message_bytes_max: a message whose BodyLength is more is garbled.
        received_per_s_max: the peer may send so many messages a second, and as many at once; 0 for any.
        sent_per_s_max: the same for our application messages.
        time_digits: digits behind the second of SendingTime, 0, 3, 6 or 9; the standard has 0 and 3.
    """

    sender: str
    target: str
    sender_sub: str = ""
    target_sub: str = ""
    username: str = ""
    role: Literal["initiator", "acceptor"] = "initiator"
    heartbeat_s: int = 30
    heartbeat_s_min: int = 1
    heartbeat_s_max: int = 300
    reset: Literal["logon", "memory", "never"] | None = None
    peer_may_reset: bool = True
    next_expected: bool = False
    logon_s: float = 10.0
    logout_s: float = 2.0
    resend_s: float = 30.0
    clock_s: float = 120.0
    message_bytes_max: int = MESSAGE_BYTES_MAX
    received_per_s_max: float = 0.0
    sent_per_s_max: float = 0.0
    time_digits: int = 3

    def __post_init__(self) -> None:
        if self.reset is None:
            object.__setattr__(self, "reset", "logon" if self.role == "initiator" else "never")
        for name in ("sender", "target", "sender_sub", "target_sub"):
            value = getattr(self, name)
            if not (value or name.endswith("_sub")) or not all("!" <= character <= "~" for character in value):
                raise ValueError(f"{name}: {value!r} is empty, or has other characters than visible ASCII")
        if min(self.heartbeat_s, self.heartbeat_s_min) < 1:
            raise ValueError(
                "heartbeat_s and heartbeat_s_min are at least 1: a silent peer is found by heartbeats alone"
            )
        if self.time_digits not in (0, 3, 6, 9):
            raise ValueError(f"time_digits is {self.time_digits}, not 0, 3, 6 or 9")

    @property
    def peer(self) -> str:
        """What the other side is called in words for people."""
        return "venue" if self.role == "initiator" else "client"

    @property
    def name(self) -> str:
        """The session's name: our CompID and SubID to the peer's."""
        ends = (self.sender, self.sender_sub), (self.target, self.target_sub)
        return "→".join("/".join(part for part in end if part) for end in ends)


class TokenBucket:
    """At most `rate` a second over any time, and as many at once; 0 for no bound."""

    def __init__(self, rate: float, now: float) -> None:
        self._rate, self._at = rate, now
        self._tokens = max(rate, 1.0)

    def take(self, now: float) -> float:
        """Takes one, and returns 0; if there is none, how many seconds until there is."""
        if not self._rate:
            return 0.0
        self._tokens = min(max(self._rate, 1.0), self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1.0:
            return (1.0 - self._tokens) / self._rate
        self._tokens -= 1.0
        return 0.0
