"""Whether a recorded history of a register is linearizable (Herlihy and Wing 1990), by Wing and Gong's search.

Each operation has the moments at which it began and ended; one whose outcome is not known never ends. A history is
linearizable if the operations can be put into an order that respects those moments, and in which each sees what the
ones before it left. States of the search are remembered (Lowe 2017), so that bounded histories are decided in no time.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One call: what was asked and answered, when it began and ended; `end` is infinite where no answer came."""

    what: str
    value: Any
    begin: float
    end: float = math.inf


Step = Callable[[Hashable, Operation], Hashable | None]
"""From a state and an operation to the state after it; None if the operation cannot have seen that state."""


def linearizable(history: Sequence[Operation], initial: Hashable, step: Step) -> bool:
    """Whether there is such an order. Operations that never ended may have happened or not."""
    count = len(history)
    must = sum(1 << place for place, each in enumerate(history) if each.end < math.inf)
    seen: set[tuple[int, Hashable]] = set()
    stack: list[tuple[int, Hashable]] = [(0, initial)]
    while stack:
        done, state = stack.pop()
        if done & must == must:
            return True
        if (done, state) in seen:
            continue
        seen.add((done, state))
        left = [place for place in range(count) if not done >> place & 1]
        # Nothing may come before what had ended when it began.
        horizon = min(history[place].end for place in left)
        for place in left:
            if history[place].begin <= horizon:
                after = step(state, history[place])
                if after is not None:
                    stack.append((done | 1 << place, after))
    return False


def register(state: Hashable, operation: Operation) -> Hashable | None:
    """A register that is written and read."""
    if operation.what == "write":
        return operation.value
    return state if state == operation.value else None


def switch(state: Hashable, operation: Operation) -> Hashable | None:
    """A kill switch: engaged, resumed, and orders that are admitted or refused by it."""
    if operation.what == "engage":
        return True
    if operation.what == "resume":
        return False
    admitted = operation.value
    return state if admitted != state else None
