"""What all calls share: who calls, errors in the contract's words, pages."""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager

from google.protobuf.message import Message

from crossrate.rpc import errors
from crossrate.rpc.call import current
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StaleWriter, StoreUnavailable
from crossrate.store.requests import body_of
from services.identity.domain.person import SelfService, WrongState
from services.identity.store.people import Conflict, Missing, Taken
from services.identity.store.writing import Change, Origin, Writer

PAGE_DEFAULT = 100
_DIGEST_BYTES = 6


def caller() -> str:
    """The subject on whose behalf the call is made: a person's or client's name; a service's word without one."""
    call = current()
    if call.client is None:
        return call.caller
    return call.client.subject or call.client.name


def caller_roles() -> frozenset[str]:
    """What the caller may be."""
    client = current().client
    return client.roles if client is not None else frozenset()


RESERVED = {"x-": "people of another provider", "k-": "API keys"}
"""Beginnings of names that are kept for others."""


def need_free(field: str, name: str) -> None:
    """Refuses a name that is kept for others.

    Raises:
        Failure: INVALID_REQUEST.
    """
    for beginning, whose in RESERVED.items():
        if name.startswith(beginning):
            raise errors.invalid((field, f"begins with {beginning!r}, which is kept for {whose}"))


def origin() -> Origin:
    """For facts."""
    call = current()
    return Origin(principal=call.principal, request_id=call.request_id)


@contextmanager
def told(request_id: str = "") -> Iterator[None]:
    """Errors of domain and store as the contract says them.

    Raises:
        Failure.
    """
    try:
        yield
    except Missing as error:
        raise errors.not_found(error.kind, error.name) from None
    except Taken as error:
        metadata = {"resource": error.kind, "name": error.name}
        raise errors.Failure(errors.ErrorReason.ALREADY_EXISTS, str(error), metadata=metadata) from None
    except Conflict as error:
        raise errors.version_conflict(error.expected, error.actual) from None
    except WrongState as error:
        raise errors.wrong_state(error.state, str(error)) from None
    except SelfService as error:
        raise errors.wrong_state("SELF", str(error)) from None
    except RequestIdReused:
        raise errors.request_id_reused(request_id) from None
    except OutcomeUnknown:
        raise errors.outcome_unknown(request_id) from None
    except (StoreUnavailable, StaleWriter) as error:
        raise errors.dependency_unavailable("postgres") from error


class _Rehearsed(Exception):
    """Carries an answer out of a transaction that is rolled back."""

    def __init__(self, answer: Message) -> None:
        super().__init__()
        self.answer = answer


async def once(writer: Writer, request: Message, work: Callable[[Change], Awaitable[Message]], answer_class: type):
    """Does a request's work once and returns its answer; with `validate_only` the work is rolled back.

    Raises:
        Failure.
    """
    request_id = request.request_id  # type: ignore[attr-defined]

    async def serialised(change: Change) -> bytes:
        return (await work(change)).SerializeToString()

    async def rehearsed(change: Change) -> None:
        raise _Rehearsed(await work(change))

    with told(request_id):
        if getattr(request, "validate_only", False):
            try:
                await writer.change(origin(), rehearsed)
            except _Rehearsed as done:
                return done.answer
            raise AssertionError("a rehearsal ends with its answer")
        # Two callers that chose one id are two requests: each gets its own answer, and its own secrets.
        body = caller().encode() + b"\x00" + body_of(request)
        return answer_class.FromString(await writer.once(request_id, body, origin(), serialised))


def token_after(key: str, choice: str) -> str:
    """The page token of what follows a key, bound to a choice."""
    digest = hashlib.sha256(choice.encode()).digest()[:_DIGEST_BYTES]
    return base64.urlsafe_b64encode(digest + key.encode()).decode().rstrip("=")


def key_of(token: str, choice: str) -> str:
    """The key that a page token follows; "" for the first page.

    Raises:
        Failure: INVALID_REQUEST, it is none of ours or belongs to another choice.
    """
    if not token:
        return ""
    try:
        raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
        key = raw[_DIGEST_BYTES:].decode("ascii")
    except (binascii.Error, ValueError):
        key = ""
    if not key or token_after(key, choice) != token:
        raise errors.invalid(("page_token", "is not the next_page_token of an answer to the same choice"))
    return key
