"""A session and the claims of its tokens (RFC 9068, OpenID Connect Core 1.0). Times are seconds since 1970."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.identity.domain.access import Access

AUDIENCE = "crossrate"
SECOND_FACTORS = frozenset({"otp", "hwk", "swk", "mca"})
"""Methods (RFC 8176) that count as a second factor beside a password."""
STANDARD = "standard"
RATE_CLASSES = ("low", STANDARD, "high")
"""Classes of rates that the contract names, from the smallest."""
STEP_UP_S = 300
"""How fresh a second factor is to be where a program asks for one (`acr_values=2`) and does not say."""


@dataclass(frozen=True, slots=True)
class Session:
    """What tokens belong to. `limit` is what an API key restricts its owner's access to; None for no restriction."""

    session_id: str
    subject: str
    client_id: str
    methods: tuple[str, ...]
    acr: str
    auth_s: int
    create_s: int
    expire_s: int
    address: str = ""
    scope: str = ""
    revoked: bool = False
    rate_class: str = STANDARD

    def open(self, now_s: float) -> bool:
        """Whether it can still get tokens."""
        return not self.revoked and now_s < self.expire_s


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a program wants proved beside who somebody is: a second factor, and that the last proof is not older than
    `max_age_s`; None for any age."""

    second: bool = False
    max_age_s: int | None = None

    @classmethod
    def of(cls, acr_values: str, max_age: str) -> Wanted:
        """From a request's parameters (OpenID Connect Core 1.0, 3.1.2.1); a `max_age` that is no number is none."""
        second = "2" in acr_values.split()
        told = int(max_age) if max_age.isascii() and max_age.isdigit() and len(max_age) < 9 else None
        return cls(second, told if told is not None else (STEP_UP_S if second else None))


ANYTHING = Wanted()


def acr_of(methods: tuple[str, ...]) -> str:
    """ "2" if two factors were proved. A machine's key alone is one: what it holds."""
    return "2" if "pwd" in methods and SECOND_FACTORS & set(methods) else "1"


@dataclass(frozen=True, slots=True)
class Bearer:
    """Whom a token speaks for."""

    subject: str
    shown: str
    desk: str
    access: Access
    access_until: int = 0
    version: int = 0


def issue_time(now_s: float, access_until: int) -> int:
    """The `iat` of a token with grants as they are now: later than the last second of grants before."""
    return max(int(now_s), access_until + 1)


def rate_class_of(roles: Iterable[str], by_role: Mapping[str, str]) -> str:
    """The class of rates of a person: the largest that a role of his gives, "standard" where a role is not named."""
    given = [by_role.get(role, STANDARD) for role in roles] or [STANDARD]
    return max(given, key=RATE_CLASSES.index)


def access_claims(
    session: Session,
    bearer: Bearer,
    *,
    issuer: str,
    now_s: float,
    life_s: int,
    token_id: str,
    certificate: str = "",
    rate_class: str = "",
) -> dict[str, Any]:
    """The claims of an access token.

    Args:
        rate_class: in place of the session's.
        certificate: SHA-256 of the certificate that the token is bound to, base64url; "" for none.
    """
    issued = issue_time(now_s, bearer.access_until)
    access = bearer.access
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": AUDIENCE,
        "sub": bearer.subject,
        "client_id": session.client_id,
        "iat": issued,
        "nbf": int(now_s),
        "exp": int(now_s) + life_s,
        "jti": token_id,
        "sid": session.session_id,
        "name": bearer.shown,
        "desk": bearer.desk,
        "roles": sorted(access.roles),
        "accounts": sorted(access.accounts),
        "amr": list(session.methods),
        "acr": session.acr,
        "auth_time": session.auth_s,
        "rate_class": rate_class or session.rate_class,
    }
    if "*" not in access.instruments:
        claims["instruments"] = sorted(access.instruments)
    if session.scope:
        claims["scope"] = session.scope
    if certificate:
        claims["cnf"] = {"x5t#S256": certificate}
    return claims


def id_claims(
    session: Session, bearer: Bearer, *, issuer: str, now_s: float, life_s: int, nonce: str = ""
) -> dict[str, Any]:
    """The claims of an ID token."""
    claims: dict[str, Any] = {
        "iss": issuer,
        "aud": session.client_id,
        "sub": bearer.subject,
        "iat": int(now_s),
        "exp": int(now_s) + life_s,
        "auth_time": session.auth_s,
        "sid": session.session_id,
        "acr": session.acr,
        "amr": list(session.methods),
        "name": bearer.shown,
        "preferred_username": bearer.subject,
    }
    if nonce:
        claims["nonce"] = nonce
    return claims
