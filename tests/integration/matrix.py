"""The authorisation matrix: what each method owes to each role in each situation, derived from the contracts alone.

method × role × situation × {gRPC, REST, gRPC-Web}; a method that streams has a row with a request that its rules let
through, and one without is an error.
"""

from __future__ import annotations

import enum
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from google.protobuf import json_format
from google.protobuf.message import Message

from crossrate.rpc.contract import MethodContract, field_at
from crossrate.rpc.rest import read_template
from crossrate.runtime.topology import ROLES

UNAUTHENTICATED, DENIED = 16, 7
AWAY, LATE = (14, 503), (4, 504)
"""A busy machine's, and nobody's verdict: asked again. The first is also what the real control says of itself here."""
MINE, THEIRS = "mine-1", "theirs-1"
"""An account of the client's desk, and one of another's."""


class Situation(enum.Enum):
    """What is wrong with a token, if anything."""

    GOOD = "good"
    NONE = "no token"
    EXPIRED = "expired"
    AUDIENCE = "wrong audience"
    ISSUER = "wrong issuer"
    ALGORITHM = "wrong algorithm"
    THEIRS = "other desk's object"
    REVOKED = "revoked"
    CHANGED = "role removed"


REFUSED_AT_ONCE = {
    Situation.NONE: UNAUTHENTICATED,
    Situation.EXPIRED: UNAUTHENTICATED,
    # Envoy's answer to a good token of another audience (RFC 6750 would have it unauthenticated as well).
    Situation.AUDIENCE: DENIED,
    Situation.ISSUER: UNAUTHENTICATED,
    Situation.ALGORITHM: UNAUTHENTICATED,
}
"""What the edge answers, whatever the method."""


def expected(method: MethodContract, role: str, situation: Situation) -> int:
    """The code of a cell; 0 for a call that is let in, whatever becomes of it then."""
    if situation in REFUSED_AT_ONCE:
        return REFUSED_AT_ONCE[situation]
    if role not in method.roles:
        return DENIED
    if situation is Situation.THEIRS:
        return DENIED
    return UNAUTHENTICATED if situation in (Situation.REVOKED, Situation.CHANGED) else 0


def situations(method: MethodContract) -> list[Situation]:
    """The situations that a method can be in."""
    return [s for s in Situation if s is not Situation.THEIRS or method.account_fields]


def cells(method: MethodContract) -> Iterator[tuple[str, Situation]]:
    """Every role in every situation."""
    for role in sorted(ROLES):
        for situation in situations(method):
            yield role, situation


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in all its forms: gRPC's bytes, and REST's verb, path and body (no path: it has none)."""

    raw: bytes
    verb: str = ""
    path: str = ""
    body: bytes = b""


def _set(message: Message, path: str, value: str) -> None:
    *outer, last = path.split(".")
    for name in outer:
        inner = getattr(message, name)
        message = inner.add() if field_at(message.DESCRIPTOR, name).is_repeated else inner
    setattr(message, last, value)


def ask(method: MethodContract, account: str, given: Message | None = None) -> Asked:
    """A request that names an account wherever its method can name one.

    Args:
        given: what the request has beside; None for nothing, which its rules may refuse.
    """
    request = method.input._concrete_class()
    if given is not None:
        request.CopyFrom(given)
    for path in method.account_fields[:1]:
        _set(request, path, account)
    if not method.rest:
        return Asked(request.SerializeToString())
    binding = method.rest[0]
    document = json_format.MessageToDict(request, preserving_proto_field_name=True)
    path = binding.template
    for field in read_template(binding.template).fields:
        *outer, last = field.split(".")
        inner = document
        for name in outer:
            inner = inner.get(name, {})
        value = str(inner.pop(last, "") or "x")
        start = path.index("{" + field)
        path = path[:start] + quote(value, safe="") + path[path.index("}", start) + 1 :]
    if binding.body:
        return Asked(request.SerializeToString(), binding.verb, path, json.dumps(document).encode())
    query = urlencode(list(_flat(document)))
    return Asked(request.SerializeToString(), binding.verb, f"{path}?{query}" if query else path)


def values(method: MethodContract, given: Message | None) -> list[tuple[Asked, bool]]:
    """Requests of a method, and whether each is let go without the factor: one with each value of what decides."""
    if method.step_up_unless is None:
        return [(ask(method, MINE, given), False)]
    field, exempt = method.step_up_unless
    numbers = method.input.fields_by_name[field].enum_type.values_by_number
    request = method.input._concrete_class
    return [(ask(method, MINE, request(**{field: number})), number == exempt) for number in numbers]


def unanswered(method: MethodContract, found: int) -> bool:
    """Whether a code says nothing of who may call."""
    return found in LATE or (found in AWAY and method.workload != "control")


def _flat(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _flat(inner, f"{name}.{key}" if name else key)
    elif isinstance(value, list):
        for each in value:
            yield from _flat(each, name)
    else:
        yield name, json.dumps(value) if isinstance(value, bool) else str(value)
