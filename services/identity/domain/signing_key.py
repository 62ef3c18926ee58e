"""When a signing key is published, signs, and is dropped. Seconds since 1970.

publish ──── lead ────► signs ──────────► the next one signs ──── the longest token ────► dropped
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Schedule:
    """One key's times; `remove_s` is None while nothing follows it."""

    key_id: str
    publish_s: float
    sign_s: float
    remove_s: float | None = None

    def published(self, now_s: float) -> bool:
        """Whether the key set names it."""
        return self.publish_s <= now_s and (self.remove_s is None or now_s < self.remove_s)


def signing(keys: Iterable[Schedule], now_s: float) -> Schedule | None:
    """The key that signs now: the newest whose time has come."""
    ready = [key for key in keys if key.sign_s <= now_s and key.published(now_s)]
    return max(ready, key=lambda key: (key.sign_s, key.key_id), default=None)


def due(keys: Iterable[Schedule], now_s: float, rotate_s: float) -> bool:
    """Whether it is time to publish a new one."""
    newest = max((key.publish_s for key in keys if key.published(now_s)), default=None)
    return newest is None or now_s - newest >= rotate_s


def following(new: Schedule, keys: Iterable[Schedule], token_s: float, leeway_s: float) -> list[Schedule]:
    """The keys before, with the time at which they are dropped: when the last token that they may sign has ended."""
    end_s = new.sign_s + token_s + leeway_s
    return [
        Schedule(key.key_id, key.publish_s, key.sign_s, end_s)
        for key in keys
        if key.key_id != new.key_id and (key.remove_s is None or key.remove_s > end_s)
    ]
