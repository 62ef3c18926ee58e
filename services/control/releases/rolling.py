"""How `strategy = "rolling"` replaces a service's instances: by how many at once, and how many there are when.

```
own instances   n        n        n-1      n-1     …   1        1 ─ the new version ─▶ … n
candidates      1        1        1        2           n        n                        … 0
their share     0        1/n      1/n      1/n         1        1                        … 0
                started  stepped           replacing   last     promoting                  promoted
```

New instances are candidates until all of them are there: an instance of the service itself would be blamed, and its
failures be stable's, as the log of calls has only the last instance that a repeated call was sent to.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from pydantic import Field

from services.control.releases.parts import Part
from services.control.split import WEIGHT_MAX

INSTANCES_MAX = 8
"""Instances of a service that can be replaced: as many candidates as there may be."""


class Rolling(Part):
    """How many instances are replaced at once. In Kubernetes' words, as numbers of instances."""

    max_surge: int = Field(default=1, ge=1, le=INSTANCES_MAX)
    """New instances that are started before as many old ones end: so many more than usual run at most."""
    max_unavailable: Literal[0] = 0
    """An old instance ends only when a new one has its share of the calls."""
    stable_min: int = Field(default=1, ge=1, le=INSTANCES_MAX)
    """Old instances that stay until promotion: they have all calls at once if the release is taken back."""


@dataclass(frozen=True, slots=True)
class Instances:
    """How many instances of a service there are to be."""

    candidates: int
    own: int


def stops(of: int, max_surge: int, named: Sequence[int]) -> list[int]:
    """How many instances are new after each step.

    Args:
        of: instances of the service.
        named: numbers at which it is to stop, in order.
    """
    found, new = list[int](), 0
    while new < of:
        new = min([new + max_surge, of, *(number for number in named if number > new)])
        found.append(new)
    return found


def weight_of(new: int, of: int) -> int:
    """The share of so many of a service's instances, in hundredths of a percent of its calls."""
    return round(new * WEIGHT_MAX / of)


def new_at(weight: int, of: int) -> int:
    """How many of a service's instances have a share of its calls."""
    return round(weight * of / WEIGHT_MAX)
