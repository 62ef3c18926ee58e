"""Where QuickFIX's scripts want what FIX 4.4 does not, and what we do there instead."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Different:
    """Where a script wants what FIX 4.4 does not.

    Attributes:
        line: from which line on.
        instead: what stands in place of it and of all that follows, with | for the delimiter.
        why: why that is right.
    """

    line: int
    instead: bytes
    why: str


_ECHO = b"35=D|49=ISLD|56=TW44|52=0|11=ID|21=3|40=1|54=1|55=INTC|60=0|"
DIFFERENCES = {
    "2m_BodyLengthValueNotCorrect": Different(
        28,
        b"E8=FIX.4.4|35=2|34=5|49=ISLD|56=TW44|52=0|7=4|16=0|\nE8=FIX.4.4|34=6|%b\nE8=FIX.4.4|34=7|%b\n"
        b"E8=FIX.4.4|35=5|34=8|49=ISLD|56=TW44|52=0|58=MsgSeqNum too low, expecting 6 but received 5|\neDISCONNECT"
        % (_ECHO, _ECHO),
        "BodyLength is verified by counting to the delimiter before CheckSum (Data Integrity), so a message whose "
        "BodyLength is too long is garbled alone; the one behind it is whole, and shows the gap. The script wants both "
        "to be lost.",
    ),
    "6_SendTestRequest": Different(
        24,
        b"E8=FIX.4.4|35=0|34=8|49=ISLD|56=TW44|52=0|\neDISCONNECT",
        "who has sent nothing for HeartBtInt sends a Heartbeat (Heartbeat), also while a TestRequest is not answered. "
        "The script's server sends none then; the end comes as the script wants it.",
    ),
    "8_OnlyAdminMessages": Different(
        23,
        b"E8=FIX.4.4|35=5|34=6|49=ISLD|56=TW44|52=0|58=MsgSeqNum too low, expecting 7 but received 5|\neDISCONNECT",
        "a MsgSeqNum that is too low, without PossDupFlag, ends the session (test case 2c), of a ResendRequest too. "
        "The script wants it answered.",
    ),
}
