"""A person, and what wrong passwords and codes lead to. Times are UTC."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.identity.domain.access import Access

FREE_FAILURES = 5
"""Wrong passwords or codes in a row that have no consequence."""
LOCK_S, LOCK_S_MAX = 30, 3600
"""The first lock, and the longest; each further failure doubles it."""
PASSWORD_CHARS_MIN, PASSWORD_CHARS_MAX = 12, 256
RECOVERY_CODES = 10


class State(enum.IntEnum):
    """As UserState of the contract."""

    INVITED = 1
    ACTIVE = 2
    DISABLED = 3


class SelfService(Exception):
    """Nobody grants to, resets or disables themselves."""


class WrongState(Exception):
    """The person's state does not admit the change; `state` names it."""

    def __init__(self, state: str, words: str) -> None:
        super().__init__(words)
        self.state = state


@dataclass(frozen=True, slots=True)
class Person:
    """As stored. `access_until` are the seconds since 1970 up to which tokens have grants that are out of date;
    `recovery` are hashes of codes that are left; `one_time` says that the password is only good to set another."""

    name: str
    desk: str
    state: State
    access: Access
    create_time: datetime
    update_time: datetime
    display_name: str = ""
    email: str = ""
    version: int = 1
    access_until: int = 0
    access_time: datetime | None = None
    password_hash: str = ""
    one_time: bool = False
    failures: int = 0
    locked_until: datetime | None = None
    last_login_time: datetime | None = None
    totp_sealed: bytes | None = None
    totp_step: int = 0
    recovery: tuple[bytes, ...] = ()
    passkeys: int = 0

    @property
    def shown(self) -> str:
        """What others see."""
        return self.display_name or self.name

    @property
    def has_factor(self) -> bool:
        """Whether a second factor is set up."""
        return self.totp_sealed is not None or self.passkeys > 0

    def locked(self, now: datetime) -> bool:
        """Whether logging in is refused for now."""
        return self.locked_until is not None and now < self.locked_until

    def may_log_in(self, now: datetime) -> bool:
        """Whether the right password would help."""
        return self.state is State.ACTIVE and not self.locked(now)


def failed(person: Person, now: datetime) -> Person:
    """After a wrong password or code."""
    failures = person.failures + 1
    if failures < FREE_FAILURES:
        return replace(person, failures=failures)
    lock_s = min(LOCK_S_MAX, LOCK_S * 2 ** min(failures - FREE_FAILURES, 20))
    return replace(person, failures=failures, locked_until=now + timedelta(seconds=lock_s))


def lock_s(person: Person, now: datetime) -> int:
    """Seconds for which logging in is refused."""
    return max(0, round((person.locked_until - now).total_seconds())) if person.locked_until else 0


def problems_of(password: str, name: str) -> str:
    """Why a password is not taken, as a sentence; empty for a good one.

    Length counts, not kinds of characters (NIST SP 800-63B, 3.1.1.2), and it is neither the name nor one sign again
    and again.
    """
    if len(password) < PASSWORD_CHARS_MIN:
        return f"A password has at least {PASSWORD_CHARS_MIN} characters."
    if len(password) > PASSWORD_CHARS_MAX:
        return f"A password has at most {PASSWORD_CHARS_MAX} characters."
    folded = password.casefold()
    if name in folded or len(set(folded)) < 5:
        return "This password is easily guessed: it has your name in it, or very few different characters."
    return ""
