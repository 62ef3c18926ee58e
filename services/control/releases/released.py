"""What runs beside the stable version, of one service or of several."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Self

from pydantic import Field, model_validator

from services.control.releases.parts import Part

ENVIRONMENT_MAX = 64
RESERVED = ("SERVICE", "INSTANCE", "BACKEND", "STATE", "RUN", "TOPOLOGY", "VERSION")
"""Settings that the mesh itself gives to an instance, without their prefix."""


class Candidate(Part):
    """What runs beside the stable version."""

    version: str = Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z.+_-]{0,63}$")
    instances: int = Field(default=1, ge=1, le=8)
    command: tuple[str, ...] = Field(default=(), max_length=64)
    """The command line; its first word may be "python". Empty: the service's own program as the checkout has it."""
    folder: str = ""
    """Where it runs; relative to the specification's folder. Empty: the checkout."""
    environment: dict[str, str] = Field(default_factory=dict, max_length=ENVIRONMENT_MAX)
    """Settings, by the name of the variable."""

    @model_validator(mode="after")
    def _names(self) -> Self:
        for name in self.environment:
            if not re.match(r"^[A-Z][A-Z0-9_]{0,127}$", name):
                raise ValueError(f"environment.{name} is no name of a variable: write it in capitals")
            if name.removeprefix("CROSSRATE_") in RESERVED:
                raise ValueError(f"environment.{name} is given by the mesh itself: take it out")
        return self


class Released(Part):
    """One of the services of a release."""

    service: str
    candidate: Candidate


def unstartable(released: Sequence[Released], *, several: bool) -> list[tuple[str, str]]:
    """What no process can be started with."""
    found = []
    for place, each in enumerate(released):
        field, candidate = f"services[{place}].candidate" if several else "candidate", each.candidate
        if candidate.command and not candidate.command[0]:
            why = "its first word is empty: give the program, or no command for the service's own"
            found.append((f"{field}.command", why))
        zero = "no process can be given a text with a zero byte: take it out"
        found += [(f"{field}.command[{i}]", zero) for i, text in enumerate(candidate.command) if "\0" in text]
        found += [(f"{field}.environment.{k}", zero) for k, text in candidate.environment.items() if "\0" in text]
    return found
