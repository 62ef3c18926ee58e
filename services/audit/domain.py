"""What the log is about: by what a fact is found, how long its payload is kept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

KEYS_MAX = 64
"""Keys of one fact; the first in their order."""
KEY_CHARS_MAX = 200
SERVICE = "audit"
"""The service that the log's own facts are from."""
OWN_STREAM = "log"
"""Their stream."""
NO_JOURNAL = "jetstream:"
"""What the stream of a fact that is from no journal begins with; then its stream of events, and when that was made."""
OWN_TYPES = "crossrate.api.audit.v1."

FIELDS: Mapping[str, str] = {
    "account": "account",
    "accounts": "account",
    "order_id": "order",
    "client_order_id": "order",
    "actor": "person",
    "approved_by": "person",
    "author": "person",
    "cause": "request",
    "changed_by": "person",
    "client_id": "person",
    "decided_by": "person",
    "engaged_by": "person",
    "entered_by": "person",
    "granted_by": "person",
    "person": "person",
    "principal": "person",
    "proposed_by": "person",
    "revoked_by": "person",
    "state_by": "person",
    "sub": "person",
    "subject": "person",
    "user": "person",
    "user_id": "person",
    "username": "person",
}
"""By which fields of the contracts facts are found, wherever they stand in a fact, and as what. A field of another
name that names one of these needs a line here."""


class Incoming(NamedTuple):
    """A fact as it comes, before it has a place. `time_ns` is ns since 1970, UTC; `form` a PayloadForm of the
    contract."""

    service: str
    stream: str
    sequence: int
    subject: str
    type: str
    time_ns: int
    request_id: str
    keys: tuple[str, ...]
    payload: bytes
    form: int

    @property
    def source(self) -> tuple[str, str]:
        """Service and stream."""
        return self.service, self.stream

    @property
    def has_journal(self) -> bool:
        """Whether its numbers have no gaps."""
        return not self.stream.startswith(NO_JOURNAL)


def key(kind: str, value: str) -> str:
    """A key of the index: "account:alpha"."""
    return f"{kind}:{value[:KEY_CHARS_MAX]}"


def bounded(keys: Iterable[str]) -> tuple[str, ...]:
    """Keys as they are kept: each once, sorted, at most KEYS_MAX."""
    return tuple(sorted(set(keys))[:KEYS_MAX])


@dataclass(frozen=True, slots=True)
class Retention:
    """How many days payloads are kept: by the type's full name, and under "" for all others; 0 is for ever."""

    days: Mapping[str, int]

    @classmethod
    def parse(cls, policy: Mapping[str, int]) -> Retention:
        """Checks a policy.

        Raises:
            ValueError: a name is no type's, a time is negative, or it would drop facts about the log itself.
        """
        for name, days in policy.items():
            if name and not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_.]*", name):
                raise ValueError(f"retention: {name!r} is no full name of a type")
            if name.startswith(OWN_TYPES):
                raise ValueError(f"retention: {name} is about the log itself and is kept for ever")
            if days < 0:
                raise ValueError(f"retention: {name or 'others'}: {days} days; 0 keeps for ever")
        return cls(dict(policy))

    def days_of(self, type_name: str) -> int:
        """Days for a type; 0 for ever."""
        if type_name.startswith(OWN_TYPES):
            return 0
        return self.days.get(type_name, self.days.get("", 0))
