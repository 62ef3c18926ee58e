"""Bodies and queries as names with one value each: bounded, of one form, nothing twice."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

BODY_BYTES_MAX = 64 << 10
FIELDS_MAX = 64
FORM = "application/x-www-form-urlencoded"


class BadForm(Exception):
    """The body or query is not taken; the words are for the client."""


def parsed(text: str) -> dict[str, str]:
    """The fields of a form or query.

    Raises:
        BadForm: it is none, or a name stands twice.
    """
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=bool(text), max_num_fields=FIELDS_MAX, errors="strict"
        )
    except (ValueError, UnicodeError):
        raise BadForm("The parameters are malformed.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise BadForm("A parameter stands twice.")
    if any("\x00" in value or "\x00" in name for name, value in pairs):
        raise BadForm("A parameter has a sign that none may have.")
    return found


async def form_of(request: Request) -> dict[str, str]:
    """The fields of a request's body.

    Raises:
        BadForm: it is of another type, too large or malformed.
    """
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise BadForm(f"The content type is to be {FORM}.")
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > BODY_BYTES_MAX:
            raise BadForm(f"The body is larger than {BODY_BYTES_MAX} bytes.")
    try:
        return parsed(body.decode("ascii"))
    except UnicodeDecodeError:
        raise BadForm("The body is malformed.") from None
