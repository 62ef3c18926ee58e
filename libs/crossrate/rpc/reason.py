"""The reasons of failures as programs compare them, and what a program or its author does about each."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """Why a call failed: ERROR_REASON_… of the contract without its prefix. A member is its own word, so that
    `error.reason == "NOT_FOUND"` holds too."""

    INVALID_REQUEST = "INVALID_REQUEST"
    UNKNOWN_FIELD = "UNKNOWN_FIELD"
    NOT_FOUND = "NOT_FOUND"
    REQUEST_ID_REUSED = "REQUEST_ID_REUSED"
    CALLER_NOT_ALLOWED = "CALLER_NOT_ALLOWED"
    NO_IDENTITY = "NO_IDENTITY"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"
    DEADLINE_TOO_SHORT = "DEADLINE_TOO_SHORT"
    TOO_MANY_REQUESTS = "TOO_MANY_REQUESTS"
    RATE_LIMITED = "RATE_LIMITED"
    DEPENDENCY_UNAVAILABLE = "DEPENDENCY_UNAVAILABLE"
    SHUTTING_DOWN = "SHUTTING_DOWN"
    INTERNAL = "INTERNAL"
    VERSION_CONFLICT = "VERSION_CONFLICT"
    WRONG_STATE = "WRONG_STATE"
    CURSOR_EXPIRED = "CURSOR_EXPIRED"
    OUTSIDE_CALENDAR = "OUTSIDE_CALENDAR"
    NO_QUOTE = "NO_QUOTE"
    UNIMPLEMENTED = "UNIMPLEMENTED"
    CANCELLED = "CANCELLED"
    OUTCOME_UNKNOWN = "OUTCOME_UNKNOWN"
    ALREADY_EXISTS = "ALREADY_EXISTS"
    TOKEN_REFUSED = "TOKEN_REFUSED"
    SESSION_REVOKED = "SESSION_REVOKED"
    STEP_UP_REQUIRED = "STEP_UP_REQUIRED"


def reason_of(word: str) -> str:
    """The member of a word; the word itself if this version does not know it yet, so that a newer server's reason is
    not lost."""
    return Reason.__members__.get(word, word)


REMEDIES: dict[str, str] = {
    Reason.INVALID_REQUEST: "correct the fields that `violations` names; the contract has each field's rule",
    Reason.UNKNOWN_FIELD: "correct or leave out the field that the metadata names",
    Reason.NOT_FOUND: "list what there is; the metadata has the kind and the name that were looked for",
    Reason.REQUEST_ID_REUSED: "take a new request_id for a new change, or none: one is made",
    Reason.CALLER_NOT_ALLOWED: "ask for the role or the grant: `crossrate authz METHOD` shows who may call it and why",
    Reason.NO_IDENTITY: "log in with `crossrate login`, or give the client a certificate or a token",
    Reason.DEADLINE_EXCEEDED: "ask for less, or give it more time; a write is repeated with the same request_id",
    Reason.DEADLINE_TOO_SHORT: "give the call a longer timeout: it was not begun",
    Reason.TOO_MANY_REQUESTS: "repeat it after `retry_after_s`, with fewer calls at once",
    Reason.RATE_LIMITED: "repeat it after `retry_after_s`, and call less often",
    Reason.DEPENDENCY_UNAVAILABLE: "repeat it later; `crossrate status` shows what is not healthy",
    Reason.SHUTTING_DOWN: "repeat it: another instance takes over",
    Reason.INTERNAL: "report it with `call_id`, by which the service's log has it",
    Reason.VERSION_CONFLICT: "read it again and repeat the change with the version that is there now",
    Reason.WRONG_STATE: "read its state, which the metadata has: it does not admit the change",
    Reason.CURSOR_EXPIRED: "begin without a cursor; what lies between is in the history",
    Reason.OUTSIDE_CALENDAR: "ask for a date in the range that the metadata has",
    Reason.NO_QUOTE: "wait for the market to open, or give the price yourself",
    Reason.UNIMPLEMENTED: "the server that answered does not serve this use of the method",
    Reason.CANCELLED: "it was ended from this side",
    Reason.OUTCOME_UNKNOWN: "repeat it with the same request_id, as `request` has it: it is applied once",
    Reason.ALREADY_EXISTS: "choose another name, or read what is there",
    Reason.TOKEN_REFUSED: "get a new token: `crossrate login`, or look at how the client is registered",
    Reason.SESSION_REVOKED: "log in again: the session was ended or its grants changed",
    Reason.STEP_UP_REQUIRED: "prove a second factor again with `crossrate login`, then repeat the call",
}
"""What to do about a reason, by its word."""

CODE_REMEDIES: dict[str, str] = {
    "PERMISSION_DENIED": REMEDIES[Reason.CALLER_NOT_ALLOWED],
    "UNAUTHENTICATED": REMEDIES[Reason.NO_IDENTITY],
    "UNAVAILABLE": "look whether the mesh runs and can be reached: `crossrate status`",
    "DEADLINE_EXCEEDED": REMEDIES[Reason.DEADLINE_EXCEEDED],
    "RESOURCE_EXHAUSTED": "ask for less in one call, or call less often",
    "UNIMPLEMENTED": REMEDIES[Reason.UNIMPLEMENTED],
}
"""What to do about a failure that did not come from a service, by the code's name."""
