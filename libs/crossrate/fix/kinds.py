"""Types of messages (MsgType, 35) that the session speaks, and all that FIX 4.4 knows."""

from __future__ import annotations

HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT = b"0", b"1", b"2", b"3"
SEQUENCE_RESET, LOGOUT, LOGON, BUSINESS_REJECT = b"4", b"5", b"A", b"j"
ADMINISTRATIVE = frozenset((HEARTBEAT, TEST_REQUEST, RESEND_REQUEST, REJECT, SEQUENCE_RESET, LOGOUT, LOGON))

_ONE = "0123456789ABCDEFGHJKLMNPQRSTVWXYZabcdefghijklmnopqrstuvwxyz"
_TWO = "AA AB AC AD AE AF AG AH AI AJ AK AL AM AN AO AP AQ AR AS AT AU AV AW AX AY AZ BA BB BC BD BE BF BG BH"
KNOWN = frozenset(kind.encode() for kind in (*_ONE, *_TWO.split()))
"""Every MsgType of FIX 4.4 (volume 6, appendix 6-A). One that is not among them is invalid, not merely unsupported."""
