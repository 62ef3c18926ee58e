"""A program: how it proves itself, where persons are sent back to, and what its public keys may be."""

from __future__ import annotations

import enum
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from services.identity.domain.access import NOTHING, Access

LOOPBACK = ("127.0.0.1", "::1")
KEYS_MAX = 8
ASSERTION_ALGORITHMS = ("ES256", "EdDSA", "Ed25519", "PS256")
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
_KINDS = {"EC": {"P-256"}, "OKP": {"Ed25519"}}
RSA_BYTES_MIN = 256


class Authentication(enum.IntEnum):
    """As ClientAuthentication of the contract."""

    NONE = 1
    PRIVATE_KEY_JWT = 2
    TLS = 3


AUTH_METHODS = {
    Authentication.NONE: "none",
    Authentication.PRIVATE_KEY_JWT: "private_key_jwt",
    Authentication.TLS: "tls_client_auth",
}
"""As RFC 7591 and RFC 8705 call them."""

PERSONS = ("authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code")
PROGRAMS = ("client_credentials", "urn:ietf:params:oauth:grant-type:token-exchange")


@dataclass(frozen=True, slots=True)
class Client:
    """As stored."""

    name: str
    desk: str
    authentication: Authentication
    create_time: datetime
    display_name: str = ""
    redirect_uris: tuple[str, ...] = ()
    jwks: str = ""
    tls_san_uri: str = ""
    bound_tokens: bool = False
    rate_class: str = "standard"
    disabled: bool = False
    access: Access = NOTHING
    access_until: int = 0
    version: int = 1

    @property
    def shown(self) -> str:
        """What people see."""
        return self.display_name or self.name

    @property
    def grant_types(self) -> tuple[str, ...]:
        """What it may ask the token endpoint for."""
        return PERSONS if self.authentication is Authentication.NONE else PROGRAMS

    def may_return_to(self, uri: str) -> bool:
        """Whether a redirect URI is registered: the same text, but on a loopback address any port (RFC 8252, 7.3)."""
        return any(uri == known or _same_but_port(uri, known) for known in self.redirect_uris)


def _same_but_port(uri: str, known: str) -> bool:
    try:
        asked, stated = urlsplit(uri), urlsplit(known)
        if asked.port is not None and not 1 <= asked.port <= 65535:
            return False
    except ValueError:
        return False
    return (
        stated.scheme == asked.scheme == "http"
        and stated.hostname == asked.hostname
        and asked.hostname in LOOPBACK
        and asked.netloc == _netloc(asked.hostname, asked.port)
        and (asked.path, asked.query, asked.fragment) == (stated.path, stated.query, "")
    )


def _netloc(host: str, port: int | None) -> str:
    name = f"[{host}]" if ":" in host else host
    return name if port is None else f"{name}:{port}"


def problems_of_redirect(uri: str) -> str:
    """Why a redirect URI cannot be registered; empty if it can."""
    try:
        parts = urlsplit(uri)
        _ = parts.port
    except ValueError as error:
        return f"is no URI: {error}"
    if parts.fragment or "#" in uri:
        return "has a fragment"
    if parts.username is not None or parts.password is not None:
        return "has a user in it"
    if "*" in uri or "\\" in uri or any(ord(c) <= 0x20 or ord(c) > 0x7E for c in uri):
        return "has a sign that no redirect URI has"
    if parts.scheme == "https" and parts.hostname:
        return ""
    if parts.scheme == "http" and parts.hostname in LOOPBACK:
        return ""
    return "is neither https nor http on 127.0.0.1 or [::1]"


def problems_of_keys(text: str) -> str:
    """Why a JSON Web Key Set cannot be a client's; empty if it can. EC P-256, Ed25519 and RSA of 2,048 bits or more."""
    try:
        document = json.loads(text, object_pairs_hook=_no_name_twice)
        keys = document["keys"]
        if not isinstance(keys, list) or not 1 <= len(keys) <= KEYS_MAX:
            return f"has no `keys`, or not 1 to {KEYS_MAX}"
        if not all(isinstance(key, dict) for key in keys):
            return "has a key that is no object"
        if problem := next(filter(None, map(_problem_of_key, keys)), ""):
            return problem
        if len({key["kid"] for key in keys}) != len(keys):
            return "has a `kid` twice"
    except (ValueError, TypeError, KeyError) as error:
        return f"is no JSON Web Key Set: {error}"
    return ""


def _problem_of_key(key: dict[str, Any]) -> str:
    if not isinstance(key.get("kid"), str) or not 0 < len(key["kid"]) <= 128:
        return "has a key without a `kid` of at most 128 characters"
    if found := _PRIVATE & key.keys():
        return f"has the private part {min(found)!r} of key {key['kid']!r}: give public keys only, and make a new one"
    if key.get("use", "sig") != "sig" or key.get("alg", ASSERTION_ALGORITHMS[0]) not in ASSERTION_ALGORITHMS:
        return f"has key {key['kid']!r}, which is not for signatures by {', '.join(ASSERTION_ALGORITHMS)}"
    if key.get("kty") == "RSA":
        return "" if len(key.get("n", "")) * 3 // 4 >= RSA_BYTES_MIN else f"has key {key['kid']!r} below 2,048 bits"
    if key.get("crv") not in _KINDS.get(key.get("kty", ""), set()):
        return f"has key {key['kid']!r}, which is neither EC P-256 nor Ed25519 nor RSA"
    return ""


def _no_name_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return found


@dataclass(frozen=True, slots=True)
class ApiKey:
    """As stored; the secret is not."""

    key_id: str
    subject: str
    secret_sha256: bytes
    display_name: str
    limit: Access | None
    rate_class: str
    create_time: datetime
    expire_time: datetime
    last_use_time: datetime | None = None
    revoked: bool = False

    def good(self, now: datetime) -> bool:
        """Whether it works."""
        return not self.revoked and now < self.expire_time
