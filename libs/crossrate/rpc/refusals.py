"""Why a client of the edge is refused: what its token is worth, and what it was not granted."""

from __future__ import annotations

from crossrate.rpc.errors import ErrorReason, Failure


def not_granted(kind: str, name: str, client: str) -> Failure:
    """The client may call the method, but not for this `kind` ("account", "instrument", "desk")."""
    return Failure(
        ErrorReason.CALLER_NOT_ALLOWED,
        f"{client} has no grant for {kind} {name!r}",
        metadata={kind: name, "caller": client},
    )


def token_refused(method: str, problem: str) -> Failure:
    """The token is worth nothing here: `problem` says why, and nothing of what it holds."""
    return Failure(
        ErrorReason.TOKEN_REFUSED,
        f"the token is refused: {problem}; get a new one",
        metadata={"method": method, "problem": problem},
    )


def session_revoked(method: str) -> Failure:
    """The session has ended, or its grants have changed since the token was issued."""
    return Failure(
        ErrorReason.SESSION_REVOKED,
        "the session was ended or its grants have changed: get a new token",
        metadata={"method": method},
    )


def step_up_required(method: str, max_age_s: float) -> Failure:
    """The method takes a second factor that was proved at most `max_age_s` seconds ago."""
    return Failure(
        ErrorReason.STEP_UP_REQUIRED,
        f"{method} takes a second factor proved within {max_age_s:.0f} s: prove it again, then repeat the call",
        metadata={"method": method, "acr": "2", "max_age": f"{max_age_s:.0f}"},
    )
