"""The kill switch as the checks see it: rules, and whether an order is reached by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Mode(IntEnum):
    """How much a rule stops, with the contract's numbers; each stops all that those below it stop."""

    CANCEL_ONLY = 1
    REDUCE_ONLY = 2
    HALT = 3
    FLATTEN = 4


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule: a kind of scope ("platform", "desk", "account", "strategy", "instrument", "venue", "market"), a name, a
    mode. A market is an instrument at a venue, "EUR/USD@sim"; "EUR/USD@" are orders that name no venue."""

    kind: str
    name: str
    mode: Mode

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind


class Gate:
    """All rules, by what they reach."""

    def __init__(self, version: int = 0, rules: Iterable[Rule] = ()) -> None:
        self.version = version
        self.rules: dict[tuple[str, str], Rule] = {}
        for rule in rules:
            key = rule.kind, rule.name
            known = self.rules.get(key)
            if known is None or rule.mode > known.mode:
                self.rules[key] = rule

    def reaching(self, *, account: str, desk: str, strategy: str, instrument: str, venue: str) -> Rule | None:
        """The strongest rule that reaches an order; None if there is none."""
        rules = self.rules
        if not rules:
            return None
        keys = (
            ("platform", ""),
            ("desk", desk),
            ("account", account),
            ("strategy", strategy),
            ("instrument", instrument),
            ("venue", venue),
            ("market", f"{instrument}@{venue}"),
        )
        found = [rule for key in keys if (key[1] or key[0] == "platform") and (rule := rules.get(key)) is not None]
        return max(found, key=lambda rule: rule.mode) if found else None
