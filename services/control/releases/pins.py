"""Which calls of a release no weight moves, and what keeps a caller on one version."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Self

from pydantic import Field, model_validator

from crossrate.runtime.topology import ROLES
from services.control.releases.parts import Part
from services.control.split import DESK_HEADER, Pin

PINS_MAX = 64
OWN_PREFIXES = ("x-crossrate-", "x-envoy-", "x-forwarded-")


class Sticky(Part):
    """What keeps a caller on one version where the contract names no sticky field of the method."""

    header: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,127})?$")
    desk: bool = False
    """All callers of a desk, by their tokens."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if self.header and self.desk:
            raise ValueError("give either header, or desk = true")
        return self


class PinRule(Part):
    """Calls that no weight moves."""

    to: Literal["stable", "candidate"]
    account: str = Field(default="", max_length=128)
    """Calls whose sticky field in the contract has this value."""
    header: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,127})?$")
    value: str = Field(default="", max_length=1024)
    """The header's value."""
    role: str = ""
    """Calls through the edge of whoever has this role, by token or by certificate."""
    desk: str = Field(default="", pattern=r"^([a-z0-9][a-z0-9-]{0,31})?$")
    """Calls through the edge of whoever belongs to this desk, by token."""

    @model_validator(mode="after")
    def _one(self) -> Self:
        if sum(map(bool, (self.account, self.header, self.role, self.desk))) != 1:
            raise ValueError("give either account, or role, or desk, or header with value")
        if self.role and self.role not in ROLES:
            raise ValueError(f"there is no role {self.role!r}; there are {', '.join(sorted(ROLES))}")
        if bool(self.header) != bool(self.value):
            raise ValueError("header and value go together: give both")
        return self

    def pin(self) -> Pin:
        """What the compiler is told."""
        value = self.account or self.role or self.desk or self.value
        header = DESK_HEADER if self.desk else self.header
        return Pin(self.to == "candidate", value, header, by_role=bool(self.role))


def of_the_mesh(sticky: Sticky, pins: Sequence[PinRule]) -> list[tuple[str, str]]:
    """Which headers no client can send: the edge takes them away, and proxies write their own."""
    given = [("sticky.header", sticky.header), *((f"pins[{i}].header", pin.header) for i, pin in enumerate(pins))]
    why = "is a header of the mesh's own, which the edge takes away: name one that your clients send"
    return [(field, why) for field, header in given if header.startswith(OWN_PREFIXES)]
