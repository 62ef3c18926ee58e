"""What clients were told: written down when it is told, compared when everything is quiet again."""

from __future__ import annotations

import collections
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Told:
    """What one client was told, in the order in which it was.

    Attributes:
        acknowledged: what was promised to be kept, by key.
        unknown: what was asked for and not answered: it may be there or not.
        events: how often what happened.
    """

    acknowledged: dict[Hashable, Any] = field(default_factory=dict)
    unknown: dict[Hashable, Any] = field(default_factory=dict)
    events: collections.Counter[str] = field(default_factory=collections.Counter)

    def ask(self, key: Hashable, value: Any) -> None:
        """Something is asked for; until it is acknowledged nobody knows."""
        self.unknown[key] = value

    def acknowledge(self, key: Hashable, value: Any = None) -> None:
        """It was promised."""
        self.acknowledged[key] = self.unknown.pop(key, value)


class History:
    """What all clients were told, by name."""

    def __init__(self) -> None:
        self.clients: dict[str, Told] = collections.defaultdict(Told)

    def __getitem__(self, client: str) -> Told:
        return self.clients[client]

    def acknowledged(self, client: str) -> dict[Hashable, Any]:
        """What was promised to a client; nothing to one that there is not."""
        return self.clients[client].acknowledged if client in self.clients else {}
