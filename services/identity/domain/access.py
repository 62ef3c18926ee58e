"""What somebody may do: roles, on accounts, in instruments. Sets that are added, taken away and cut to a limit."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

ROLES = ("viewer", "trader", "quant", "risk_officer", "operator", "auditor", "admin")
"""As the contract's Role; a test holds them equal."""
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
"""A person's, client's or desk's name: what a NATS subject, a path and a claim can carry as it is."""


def covers(wide: str, narrow: str) -> bool:
    """Whether a pattern (a name, or a beginning with "*" behind it) allows everything that another does."""
    if wide.endswith("*"):
        return narrow.startswith(wide[:-1])
    return wide == narrow


def common(one: Iterable[str], other: Iterable[str]) -> frozenset[str]:
    """The patterns for what both sets of patterns allow."""
    other = tuple(other)
    return frozenset(
        (left if covers(right, left) else right)
        for left in one
        for right in other
        if covers(right, left) or covers(left, right)
    )


@dataclass(frozen=True, slots=True)
class Access:
    """Empty sets allow nothing; the pattern "*" allows all."""

    roles: frozenset[str] = frozenset()
    accounts: frozenset[str] = frozenset()
    instruments: frozenset[str] = frozenset()

    @classmethod
    def of(cls, roles: Iterable[str] = (), accounts: Iterable[str] = (), instruments: Iterable[str] = ()) -> Access:
        """From any collections.

        Raises:
            ValueError: a role is none.
        """
        made = cls(frozenset(roles), frozenset(accounts), frozenset(instruments))
        if unknown := made.roles - set(ROLES):
            raise ValueError(f"there is no role {min(unknown)!r}; there are {', '.join(ROLES)}")
        return made

    def __bool__(self) -> bool:
        return bool(self.roles or self.accounts or self.instruments)

    def plus(self, more: Access) -> Access:
        """Everything of both."""
        return Access(self.roles | more.roles, self.accounts | more.accounts, self.instruments | more.instruments)

    def minus(self, less: Access) -> Access:
        """Without the values of another; a pattern goes only as it was granted."""
        return Access(self.roles - less.roles, self.accounts - less.accounts, self.instruments - less.instruments)

    def within(self, limit: Access) -> Access:
        """What both allow."""
        return Access(
            self.roles & limit.roles,
            common(self.accounts, limit.accounts),
            common(self.instruments, limit.instruments),
        )


NOTHING = Access()
EVERYTHING = Access(frozenset(ROLES), frozenset({"*"}), frozenset({"*"}))
