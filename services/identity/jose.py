"""Tokens that came from outside, looked at before any library reads them: one form, few algorithms, no surprises.

What is refused here cannot meet a weakness further in: other numbers of parts, base64 that decodes in two ways, names
that stand twice, headers that bring a key or ask for an extension, algorithms that nobody pinned, and what is too long.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection
from typing import Any

TOKEN_CHARS_MAX = 8192
DEPTH_MAX = 8
HEADERS = frozenset({"alg", "kid", "typ"})
_PART = re.compile(r"[A-Za-z0-9_-]+")


class Refused(Exception):
    """The token is not taken; the words are for a log, not for who sent it."""


def looked_at(token: str, algorithms: Collection[str], typ: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a JWS in compact form, not verified yet.

    Args:
        algorithms: those that are taken.
        typ: what the header must say, None for anything that is not the type of another kind of token.

    Raises:
        Refused: it is not of the one form.
    """
    if len(token) > TOKEN_CHARS_MAX:
        raise Refused("too long")
    parts = token.split(".")
    if len(parts) != 3 or not all(_PART.fullmatch(part) for part in parts):
        raise Refused("not three parts of base64url")
    header, claims = (_document(_decoded(part)) for part in parts[:2])
    _decoded(parts[2])
    if set(header) - HEADERS:
        raise Refused("a header that is not taken: " + ", ".join(sorted(map(repr, set(header) - HEADERS)))[:100])
    if header.get("alg") not in algorithms:
        raise Refused("the algorithm is not taken")
    if not isinstance(header.get("kid", ""), str) or not isinstance(header.get("typ", ""), str):
        raise Refused("kid or typ is no text")
    said = header.get("typ", "").lower().removeprefix("application/")
    if said != typ if typ is not None else said not in ("", "jwt", "client-authentication+jwt"):
        raise Refused("the type is another")
    return header, claims


def _decoded(part: str) -> bytes:
    try:
        raw = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except (binascii.Error, ValueError):
        raise Refused("not base64url") from None
    if base64.urlsafe_b64encode(raw).rstrip(b"=").decode() != part:
        raise Refused("base64url that is not the shortest form")
    return raw


def _document(raw: bytes) -> dict[str, Any]:
    try:
        text = raw.decode()
        document = json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except RecursionError:
        raise Refused("too deep") from None
    except ValueError:
        raise Refused("not JSON") from None
    if not isinstance(document, dict):
        raise Refused("not an object")
    if _depth(document) > DEPTH_MAX:
        raise Refused("too deep")
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Refused("a name stands twice")
    return found


def _no_constant(word: str) -> Any:
    raise Refused(f"{word} is not JSON")


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


def number(claims: dict[str, Any], name: str) -> int:
    """A time in the claims, in seconds since 1970.

    Raises:
        Refused: it is not there, or no whole number of sensible size.
    """
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 40:
        raise Refused(f"{name} is no time")
    return value


def word(claims: dict[str, Any], name: str, chars_max: int = 256) -> str:
    """A text in the claims, not empty.

    Raises:
        Refused: it is not there, or something else.
    """
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= chars_max:
        raise Refused(f"{name} is no text")
    return value
