"""Logging in on another device (RFC 8628): codes that a person types, and how often a program may ask."""

from __future__ import annotations

import re
from dataclasses import dataclass

from services.identity.domain.session import ANYTHING, Wanted

ALPHABET = "BCDFGHJKLMNPQRSTVWXZ"
"""Consonants: no word comes out, no letter looks like another (RFC 8628, section 6.1)."""
CODE_CHARS = 8
"""20^8 codes."""
INTERVAL_S = 5
SLOWER_S = 5
LIFE_S = 600
WRONG_MAX = 5
"""Wrong codes that one login may type."""


def normal(typed: str) -> str:
    """A code as it is stored: what people add or write small does not matter. "" if it can be none."""
    code = re.sub(r"[\s-]", "", typed).upper()
    return code if len(code) == CODE_CHARS and set(code) <= set(ALPHABET) else ""


def shown(code: str) -> str:
    """As people read it."""
    return f"{code[: CODE_CHARS // 2]}-{code[CODE_CHARS // 2 :]}"


@dataclass(frozen=True, slots=True)
class Device:
    """A program that waits. `decided` is None while nobody has said yes or no; times in seconds since 1970."""

    client_id: str
    scope: str
    expire_s: float
    interval_s: int = INTERVAL_S
    last_poll_s: float | None = None
    decided: bool | None = None
    subject: str = ""
    methods: tuple[str, ...] = ()
    auth_s: int = 0
    used: bool = False
    wanted: Wanted = ANYTHING
    external: str | None = None
    """What a provider outside said of who let it in, JSON; None for a person of ours."""

    def too_fast(self, now_s: float) -> bool:
        """Whether it asks more often than it was told."""
        return self.last_poll_s is not None and now_s - self.last_poll_s < self.interval_s
