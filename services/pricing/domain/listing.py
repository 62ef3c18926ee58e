"""What a list of markets or snapshots holds: a filter as AIP-160 writes it, and tokens of pages."""

from __future__ import annotations

import base64
import binascii
import enum
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from services.pricing.domain.refusal import Refused

_COMPARISON = re.compile(r'\s*([a-z_]+)\s*(<=|>=|=|<|>)\s*("(?:[^"\\]|\\.)*"|[^\s"]+)\s*')
_AND = re.compile(r"AND\b")
_DIGEST_BYTES = 6
COMPARISONS_MAX = 16
PAGE_SIZE = 100


class Type(enum.Enum):
    """What a field holds. Texts are compared with = alone."""

    TEXT = "text"
    NUMBER = "number"
    TIME = "time"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One condition on one field."""

    name: str
    operator: str
    value: str | int | datetime


def parsed(text: str, fields: Mapping[str, Type]) -> list[Comparison]:
    """The comparisons of a filter, all of which must hold.

    Raises:
        Refused: it is no filter on these fields; says where and what would be.
    """
    found: list[Comparison] = []
    at = 0
    while text[at:].strip():
        if found:
            joined = _AND.match(text, at)
            if joined is None:
                raise Refused("filter", f"expects AND at {text[at : at + 20]!r}: OR, NOT and parentheses are not known")
            at = joined.end()
        match = _COMPARISON.match(text, at)
        if match is None:
            raise Refused("filter", f"expects a comparison at {text[at : at + 20]!r}: field, =, <, <=, > or >=, value")
        found.append(_comparison(match[1], match[2], match[3], fields))
        at = match.end()
        if len(found) > COMPARISONS_MAX:
            raise Refused("filter", f"has more than {COMPARISONS_MAX} comparisons")
    return found


def _comparison(name: str, operator: str, written: str, fields: Mapping[str, Type]) -> Comparison:
    if name not in fields:
        raise Refused("filter", f"{name} is no field of it: there are {', '.join(fields)}")
    value = re.sub(r"\\(.)", r"\1", written[1:-1]) if written.startswith('"') else written
    kind = fields[name]
    if kind is Type.TEXT:
        if operator != "=":
            raise Refused("filter", f"{name} is compared with = alone, not {operator}")
        return Comparison(name, operator, value)
    try:
        if kind is Type.NUMBER:
            number = int(value)
            if abs(number) >= 1 << 63:
                raise ValueError(value)
            return Comparison(name, operator, number)
        moment = datetime.fromisoformat(value)
    except ValueError:
        wanted = "a whole number" if kind is Type.NUMBER else 'a time as "2026-01-31T12:00:00Z"'
        raise Refused("filter", f"{value!r} is no value of {name}: write {wanted}") from None
    return Comparison(name, operator, moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def token_after(key: list[str], text: str) -> str:
    """The page token of what follows a row's key in a list with a filter: opaque, and bound to the filter."""
    return base64.urlsafe_b64encode(_digest(text) + json.dumps(key).encode()).decode().rstrip("=")


def key_of(token: str, text: str, length: int) -> list[str] | None:
    """The key that a page token follows; None for an empty token.

    Raises:
        Refused: the token is none of ours, or belongs to another filter.
    """
    if not token:
        return None
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        key = json.loads(raw[_DIGEST_BYTES:]) if raw[:_DIGEST_BYTES] == _digest(text) else None
    except (binascii.Error, ValueError):
        key = None
    if not isinstance(key, list) or len(key) != length or token_after(key, text) != token:
        raise Refused("page_token", "is not the next_page_token of an answer to the same filter")
    return key


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]
