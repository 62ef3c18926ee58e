"""What a release says to the compiler: how much goes to a candidate, and what no weight moves. Values only."""

from __future__ import annotations

from dataclasses import dataclass

WEIGHT_MAX = 10_000
"""Weights are hundredths of a percent of the calls."""
CANDIDATE = "candidate"
DESK_HEADER = "x-crossrate-desk"
"""The desk of a caller's token, which the edge adds while a release asks for it: a header to pin by or to stay together
by like any other. No right hangs on it."""


def candidate_backend(service: str) -> str:
    """The backend of a service's candidates, as they register."""
    return f"{service}-{CANDIDATE}"


@dataclass(frozen=True, slots=True)
class Pin:
    """Calls that no weight moves: with a header, of an account (the contract's sticky field), of who has a role, or of
    who belongs to a desk."""

    to_candidate: bool
    value: str
    header: str = ""
    """Name of the header, DESK_HEADER for a desk; empty for a pin by account or role."""
    by_role: bool = False
    """Whether the value is a role."""


@dataclass(frozen=True, slots=True)
class Split:
    """The share of a candidate.

    Args:
        release: the release's id.
        weight: hundredths of a percent of the calls that no pin takes, 0 to WEIGHT_MAX.
        header: calls with the same value of it stay together where the contract names no sticky field; empty for none.
        pins: the first that matches takes a call.
        marked: whether the release is of several services: a call that another of them has sent to a version goes to
            the same, before pins and weight.
        among: the services of such a release: what one of them asks without a mark belongs to a call that began before
            the release, or with a program that hands no marks on; it is stable's.
        only_marked: whether no other call is the release's: before its first step, and while it is taken back.
    """

    release: str
    weight: int
    header: str = ""
    pins: tuple[Pin, ...] = ()
    marked: bool = False
    among: tuple[str, ...] = ()
    only_marked: bool = False
