"""Access tokens as services see them: the payload that the edge has verified, read again.

The edge checks the signature against identity's keys and hands on the payload, base64url, in TOKEN_HEADER, which it
takes away from clients. Whatever a payload says is checked here once more: that it is a token of this mesh (issuer,
audience), of a kind that gives access (RFC 9068: `client_id`, `jti`, `roles`), in its time, and whole.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from typing import Any

from crossrate.rpc.grants import Client
from crossrate.runtime.topology import ROLES, AccessTokens

TOKEN_HEADER = "x-crossrate-token"
FINGERPRINT_HEADER = "x-crossrate-fingerprint"
"""SHA-256 of the certificate that the edge saw, in hexadecimal; absent without one."""
SKEW_S = 5
"""How far identity's clock and ours may be apart, in seconds."""
CACHED_MAX = 4096
"""Payloads remembered until they are over."""
GRANTS_MAX = 256

_ID = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._@+:/-]{0,127}", re.ASCII)
"""Also what is random in base64url, which may begin with any of its letters."""
_GRANT = re.compile(r"[A-Za-z0-9][A-Za-z0-9/._-]{0,31}\*?|\*", re.ASCII)
_DESK = re.compile(r"([a-z0-9][a-z0-9-]{0,31})?", re.ASCII)


class TokenProblem(Exception):
    """A token is worth nothing; the message says why, in words that hold nothing of it."""


class Tokens:
    """Reads clients from payloads, remembering what it has read.

    Args:
        terms: of the tokens of this mesh; None: it has none.
    """

    def __init__(self, terms: AccessTokens | None, issuer: str) -> None:
        self._terms = terms
        self._issuer = issuer
        self._known: dict[str, Client] = {}

    def client(self, payload: str, fingerprint: str | None, now: float) -> Client:
        """Who the token is of.

        Args:
            payload: the value of TOKEN_HEADER.
            fingerprint: the value of FINGERPRINT_HEADER.
            now: seconds since 1970.

        Raises:
            TokenProblem: it is no token of this mesh, is over, or is bound to another certificate.
        """
        client = self._known.get(payload)
        if client is None:
            client = self._read(payload, now)
            if len(self._known) >= CACHED_MAX:
                self._known.clear()
            self._known[payload] = client
        if now >= client.expire_time + SKEW_S:
            raise TokenProblem("it has expired")
        if client.bound_to and client.bound_to != fingerprint:
            raise TokenProblem("it is bound to another certificate")
        return client

    def _read(self, payload: str, now: float) -> Client:
        if self._terms is None:
            raise TokenProblem("this mesh has no identity service")
        claims = _claims(payload)
        if claims.get("iss") != self._issuer:
            raise TokenProblem("iss is another issuer")
        audience = claims.get("aud")
        if self._terms.audience not in (audience if isinstance(audience, list) else [audience]):
            raise TokenProblem("aud is another audience")
        issued, begins, ends = (_time(claims, name) for name in ("iat", "nbf", "exp"))
        if issued > now + SKEW_S or begins > now + SKEW_S:
            raise TokenProblem("its time has not come")
        if ends - issued > self._terms.token_lifetime_s:
            raise TokenProblem(f"it lives longer than {self._terms.token_lifetime_s} s")
        subject, client_id, session, _ = (_id(claims, name) for name in ("sub", "client_id", "sid", "jti"))
        level = claims.get("acr", "1")
        desk = claims.get("desk", "")
        if not isinstance(desk, str) or not _DESK.fullmatch(desk):
            raise TokenProblem("desk is no desk")
        return Client(
            "",
            frozenset(_words(claims, "roles")) & ROLES,
            _words(claims, "accounts"),
            _words(claims, "instruments") if claims.get("instruments") is not None else None,
            desk,
            f"machine:{subject}" if client_id == subject else f"user:{subject}",
            subject,
            session,
            issued,
            ends,
            _time(claims, "auth_time") if level == "2" else 0.0,
            _bound_to(claims.get("cnf")),
        )


def _claims(payload: str) -> dict[str, Any]:
    try:
        raw = base64.b64decode(payload.encode("ascii") + b"=" * (-len(payload) % 4), b"-_", validate=True)
        claims = json.loads(raw, object_pairs_hook=_unique, parse_constant=_no_number)
    except (ValueError, RecursionError, binascii.Error):
        raise TokenProblem("its claims cannot be read") from None
    if not isinstance(claims, dict):
        raise TokenProblem("its claims cannot be read")
    return claims


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose names stand once: who reads the first and who reads the last would see two tokens."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _no_number(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _time(claims: dict[str, Any], name: str) -> float:
    value = claims.get(name)
    if type(value) not in (int, float) or not 0 <= value < 1 << 40:
        raise TokenProblem(f"{name} is no time")
    return float(value)


def _id(claims: dict[str, Any], name: str) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not _ID.fullmatch(value):
        raise TokenProblem(f"{name} is no id")
    return value


def _words(claims: dict[str, Any], name: str) -> tuple[str, ...]:
    """A list of grants; "*" may stand for a list of itself."""
    value = claims.get(name)
    words = ["*"] if value == "*" else value
    if not isinstance(words, list) or len(words) > GRANTS_MAX:
        raise TokenProblem(f"{name} is no list of at most {GRANTS_MAX}")
    for word in words:
        if not isinstance(word, str) or not _GRANT.fullmatch(word):
            raise TokenProblem(f"{name} has an entry that is none")
    return tuple(words)


def _bound_to(confirmation: Any) -> str:
    """The certificate that a token is bound to (RFC 8705, section 3.1), in hexadecimal."""
    if confirmation is None:
        return ""
    value = confirmation.get("x5t#S256") if isinstance(confirmation, dict) else None
    if not isinstance(value, str) or len(confirmation) != 1 or len(value) != 43:
        raise TokenProblem("cnf is no certificate's digest")
    try:
        return base64.b64decode(value + "=", b"-_", validate=True).hex()
    except ValueError:
        raise TokenProblem("cnf is no certificate's digest") from None
