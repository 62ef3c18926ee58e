"""What a shadow has found, as it is kept with its release. Values only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

PASS, FAIL, NOT_ENOUGH_DATA = "PASS", "FAIL", "NOT_ENOUGH_DATA"
FIELDS_MAX = 100
"""Fields of one method that are told."""


@dataclass(frozen=True, slots=True)
class ExampleSeen:
    """One difference; `explanation` says in what way and by how many tolerances."""

    path: str
    request_id: str
    stable: str
    candidate: str
    explanation: str


@dataclass(frozen=True, slots=True)
class FieldSeen:
    """One field that differed. `calls_needed` is 0 if it is decided or if no bounded number decides it; the largest
    differences are relative."""

    field: str
    outcome: str
    differing: int
    calls: int
    noise_differing: int
    noise_calls: int
    largest_relative: float
    noise_largest_relative: float
    calls_needed: int
    examples: tuple[ExampleSeen, ...]


@dataclass(frozen=True, slots=True)
class MethodSeen:
    """One method, by its wire path; `manner` is AS_IS, VALIDATE_ONLY or STREAM."""

    method: str
    manner: str
    outcome: str
    calls: int
    replayed: int
    skipped: int
    fields: tuple[FieldSeen, ...]


@dataclass(frozen=True, slots=True)
class ShadowSeen:
    """What was found of all methods, failures first; `explanation` is one sentence with the numbers."""

    outcome: str
    explanation: str
    calls: int
    calls_needed: int
    dropped: int
    methods: tuple[MethodSeen, ...]


def read_seen(document: Mapping[str, Any]) -> ShadowSeen:
    """A report from its JSON.

    Raises:
        KeyError, TypeError: it is not one.
    """
    methods = tuple(
        MethodSeen(
            **{
                **m,
                "fields": tuple(
                    FieldSeen(**{**f, "examples": tuple(ExampleSeen(**e) for e in f["examples"])}) for f in m["fields"]
                ),
            }
        )
        for m in document["methods"]
    )
    return ShadowSeen(**{**document, "methods": methods})
