"""Pages of daily rates: which days, how many, and the token that continues exactly there."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import hashlib
import struct
from dataclasses import dataclass, fields

import numpy as np

from services.marketdata.domain.history import Days, History

PAGE_DEFAULT = 1_000

_FORMAT = struct.Struct(">i")
_CHECK_BYTES = 8


class UnknownPair(LookupError):
    """The history does not have the pair."""


class BadToken(ValueError):
    """The page token does not belong to this question."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which rates: units of `counter` per unit of `base`, from `first` to `last`, both included; None for no bound."""

    base: str
    counter: str
    first: dt.date | None = None
    last: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Days, ascending, and the token of the next page; empty on the last."""

    days: Days
    next_token: str


def page(history: History, question: Question, size: int, token: str) -> Page:
    """One page of at most `size` rates (0 for PAGE_DEFAULT), the first without a token.

    Raises:
        UnknownPair: one of the currencies has no history, or both are the same.
        BadToken: the token was made for another pair, range or history, or by nobody.
    """
    pair = (question.base, question.counter)
    if question.base == question.counter or not all(c in history for c in pair):
        raise UnknownPair("/".join(pair))
    first = np.datetime64(question.first) if question.first else history.dates[0]
    last = np.datetime64(question.last) if question.last else history.dates[-1]
    if token:
        first = _read_token(history, question, token)
    found = history.quoted(*pair, first, last)
    size = size or PAGE_DEFAULT
    following = _token(history, question, found.dates[size]) if len(found.dates) > size else ""
    return Page(Days(*(getattr(found, each.name)[:size] for each in fields(Days))), following)


def _token(history: History, question: Question, following: np.datetime64) -> str:
    body = _FORMAT.pack(int(following.astype("datetime64[D]").astype(np.int64)))
    return base64.urlsafe_b64encode(body + _check(history, question, body)).decode()


def _read_token(history: History, question: Question, token: str) -> np.datetime64:
    try:
        raw = base64.b64decode(token, altchars=b"-_", validate=True)
    except (ValueError, binascii.Error) as error:
        raise BadToken("it is not a token that this method gave out") from error
    body, check = raw[: _FORMAT.size], raw[_FORMAT.size :]
    if len(body) != _FORMAT.size or check != _check(history, question, body):
        words = "it belongs to another pair, range or history, or the source has changed since"
        raise BadToken(f"{words}: ask for the first page again")
    return np.datetime64(_FORMAT.unpack(body)[0], "D")


def _check(history: History, question: Question, body: bytes) -> bytes:
    """Ties a token to its question and data, so that pages of two histories never mix; it is no secret."""
    asked = f"{question.base}/{question.counter} {question.first} {question.last}".encode()
    return hashlib.blake2b(body + history.digest + asked, digest_size=_CHECK_BYTES, person=b"daily-rates").digest()
