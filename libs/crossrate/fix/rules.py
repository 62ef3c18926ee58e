"""What a FIX session is told, where it stands, and the numbers that outlive a connection."""

from __future__ import annotations

import enum
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Literal

from crossrate.fix.message import Field


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
        target: the venue's CompID.
        sender_sub: our SenderSubID; empty for none.
        target_sub: the venue's TargetSubID; empty for none.
        username: Username of the logon; empty for none.
        heartbeat_s: what we ask for; the venue's answer counts.
        reset: when numbers begin at 1; see the module.
        logon_s: how long the venue may take to answer a logon.
        logout_s: how long it may take to answer a logout.
        resend_s: how long it may take to send again what is missing.
        clock_s: how far a SendingTime may be from our clock.
    """

    sender: str
    target: str
    sender_sub: str = ""
    target_sub: str = ""
    username: str = ""
    heartbeat_s: int = 30
    reset: Literal["logon", "memory"] = "logon"
    logon_s: float = 10.0
    logout_s: float = 2.0
    resend_s: float = 30.0
    clock_s: float = 120.0


@dataclass(slots=True)
class Numbers:
    """MsgSeqNum of the next message in each direction, and what was sent."""

    out: int = 1
    due: int = 1
    fresh: bool = True
    sent: OrderedDict[int, tuple[bytes, tuple[Field, ...], int]] = field(default_factory=OrderedDict)

    def reset(self) -> None:
        """Both begin at 1."""
        self.out = self.due = 1
        self.sent.clear()
