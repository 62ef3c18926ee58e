"""What differs, where, and by how much."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TEXT_MAX = 120
"""Characters that are kept of a value."""


class Manner(enum.StrEnum):
    """In what way two answers differ."""

    VALUE = "value"
    PRESENCE = "presence"
    CHOICE = "choice"
    MISSING = "missing"
    EXTRA = "extra"
    LENGTH = "length"
    UNKNOWN = "unknown field"


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference.

    Attributes:
        path: where, with keys and places: "legs[near].valuation.delta", "price[17]".
        field: the same without them, for counting: "legs[].valuation.delta".
        manner: in what way. MISSING: the candidate lacks an element or message; EXTRA: it has one that stable lacks;
            UNKNOWN: a field that this contract does not have.
        stable: stable's value in words, at most TEXT_MAX characters; "unset" where there is none, "REDACTED" of a
            secret.
        candidate: the candidate's, likewise.
        size: how many tolerances they are apart, above 1; infinite where nothing is tolerated.
        relative: of numbers |a − b| / max(|a|, |b|), None of others and of NaN and infinities.
        count: how many elements of the array differ; the largest is the one that is shown.
    """

    path: str
    field: str
    manner: Manner
    stable: str
    candidate: str
    size: float
    relative: float | None = None
    count: int = 1

    def __str__(self) -> str:
        more = f" and {self.count - 1} more" if self.count > 1 else ""
        size = f", {self.size:.3g} times what is tolerated" if self.size != float("inf") else ""
        return f"{self.path}{more}: {self.manner.value} {self.stable} became {self.candidate}{size}"


def read_difference(document: Mapping[str, Any]) -> Difference:
    """A difference from its JSON, as `dataclasses.asdict` gives it; its manner in words.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    return Difference(**{**document, "manner": Manner(document["manner"])})


def shortened(text: str) -> str:
    """At most TEXT_MAX characters of a text."""
    return text if len(text) <= TEXT_MAX else f"{text[: TEXT_MAX - 1]}…"
