"""What is wrong with a message that came: for the session to reject, or for the business."""

from __future__ import annotations

import enum


class RejectReason(enum.IntEnum):
    """SessionRejectReason (373)."""

    INVALID_TAG_NUMBER = 0
    REQUIRED_TAG_MISSING = 1
    TAG_NOT_DEFINED_FOR_MESSAGE = 2
    UNDEFINED_TAG = 3
    TAG_WITHOUT_VALUE = 4
    VALUE_INCORRECT = 5
    INCORRECT_DATA_FORMAT = 6
    COMP_ID_PROBLEM = 9
    SENDING_TIME_ACCURACY = 10
    INVALID_MSG_TYPE = 11
    TAG_APPEARS_TWICE = 13
    TAG_OUT_OF_ORDER = 14
    GROUP_OUT_OF_ORDER = 15
    GROUP_COUNT = 16
    OTHER = 99


REJECT_TEXTS = {
    RejectReason.INVALID_TAG_NUMBER: "Invalid tag number",
    RejectReason.REQUIRED_TAG_MISSING: "Required tag missing",
    RejectReason.TAG_NOT_DEFINED_FOR_MESSAGE: "Tag not defined for this message type",
    RejectReason.UNDEFINED_TAG: "Undefined tag",
    RejectReason.TAG_WITHOUT_VALUE: "Tag specified without a value",
    RejectReason.VALUE_INCORRECT: "Value is incorrect (out of range) for this tag",
    RejectReason.INCORRECT_DATA_FORMAT: "Incorrect data format for value",
    RejectReason.COMP_ID_PROBLEM: "CompID problem",
    RejectReason.SENDING_TIME_ACCURACY: "SendingTime accuracy problem",
    RejectReason.INVALID_MSG_TYPE: "Invalid MsgType",
    RejectReason.TAG_APPEARS_TWICE: "Tag appears more than once",
    RejectReason.TAG_OUT_OF_ORDER: "Tag specified out of required order",
    RejectReason.GROUP_OUT_OF_ORDER: "Repeating group fields out of order",
    RejectReason.GROUP_COUNT: "Incorrect NumInGroup count for repeating group",
    RejectReason.OTHER: "Other",
}


class BusinessReason(enum.IntEnum):
    """BusinessRejectReason (380)."""

    OTHER = 0
    UNKNOWN_ID = 1
    UNKNOWN_SECURITY = 2
    UNSUPPORTED_MESSAGE_TYPE = 3
    APPLICATION_NOT_AVAILABLE = 4
    CONDITIONALLY_REQUIRED_FIELD_MISSING = 5
    NOT_AUTHORIZED = 6
    DELIVER_TO_FIRM_NOT_AVAILABLE = 7


class Fault(ValueError):
    """A message breaks the protocol: it is answered with a session-level Reject (35=3).

    Attributes:
        reason: SessionRejectReason.
        tag: RefTagID; None for none.
    """

    def __init__(self, reason: RejectReason, tag: int | None = None, detail: str = "") -> None:
        text = REJECT_TEXTS[reason]
        super().__init__(f"{text}: {detail}" if detail else text)
        self.reason, self.tag = reason, tag


class BusinessFault(ValueError):
    """A message keeps the protocol and cannot be done: it is answered with a BusinessMessageReject (35=j).

    Attributes:
        reason: BusinessRejectReason.
        tag: the field that is missing or unknown; None for none. FIX 4.4 has no field for it, so it stands in the text.
        reference: BusinessRejectRefID, the id of what is refused; empty for none.
    """

    def __init__(self, reason: BusinessReason, text: str, *, tag: int | None = None, reference: str = "") -> None:
        super().__init__(text)
        self.reason, self.tag, self.reference = reason, tag, reference


class SessionEnded(Exception):
    """The connection is to be closed; the message says why.

    Attributes:
        ready: application messages that were due before it ended; their numbers count.
    """

    ready: list

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.ready = []


class NotLoggedOn(Exception):
    """A message that shall go at once cannot: the session does not stand."""


class Throttled(Exception):
    """More messages a second than the session may send.

    Attributes:
        retry_after_s: when one may be sent.
    """

    def __init__(self, retry_after_s: float) -> None:
        super().__init__(f"the session may send its next message in {retry_after_s:.3f} s")
        self.retry_after_s = retry_after_s
