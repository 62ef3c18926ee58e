"""When a one-time code (TOTP, RFC 6238) is accepted: once, and at most one step early or late."""

from __future__ import annotations

import hmac
from collections.abc import Callable

STEP_S = 30
DRIFT_STEPS = 1


def accepted_step(code: str, now_s: float, last_step: int, code_at: Callable[[int], str]) -> int | None:
    """The step that a code belongs to, if it may be used now: later than the last one used (RFC 6238, section 5.2).

    Args:
        code_at: the right code of a step.
    """
    step = int(now_s) // STEP_S
    found = None
    for candidate in range(step - DRIFT_STEPS, step + DRIFT_STEPS + 1):
        # All are compared, so that time does not tell which was near.
        if hmac.compare_digest(code_at(candidate).encode(), code.encode()) and candidate > last_step:
            found = candidate
    return found
