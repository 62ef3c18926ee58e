"""All instruments in memory, as ready answers: reads cost a look-up and touch neither database nor convention."""

from __future__ import annotations

import base64
import binascii
import bisect
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crossrate.api.reference.v1 import instrument_pb2, reference_service_pb2
from crossrate.basics.calendars import CALENDARS
from crossrate.basics.currency import CURRENCIES
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.rpc import errors
from services.reference.domain import State, initial
from services.reference.messages import currency_message, instrument_message

_DIGEST_BYTES = 6


@dataclass(frozen=True, slots=True)
class Choice:
    """Which instruments a list holds: `currency` "" for any; crosses and ended pairs are left out on request."""

    currency: str = ""
    direct_only: bool = False
    include_ended: bool = False

    def _digest(self) -> bytes:
        text = f"{self.currency}|{self.direct_only:d}|{self.include_ended:d}"
        return hashlib.sha256(text.encode()).digest()[:_DIGEST_BYTES]

    def token_after(self, name: str) -> str:
        """The page token of what follows an instrument: opaque to clients, bound to this choice."""
        return base64.urlsafe_b64encode(self._digest() + name.encode()).decode().rstrip("=")

    def name_of(self, token: str) -> str:
        """The instrument that a page token follows.

        Raises:
            Failure: INVALID_REQUEST, the token is none of ours or belongs to another choice.
        """
        try:
            raw = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
            digest, name = raw[:_DIGEST_BYTES], raw[_DIGEST_BYTES:].decode("ascii")
        except (binascii.Error, ValueError):
            digest, name = b"", ""
        if digest != self._digest() or self.token_after(name) != token:
            raise errors.invalid(("page_token", "is not the next_page_token of an answer to the same choice"))
        return name


class Catalogue:
    """The instruments' states and answers. Only this process's event loop touches it."""

    def __init__(self, changed: Iterable[State] = ()) -> None:
        """Every instrument in its initial state, except those that changed."""
        self._states: dict[Pair, State] = {pair: initial(pair) for pair in CONVENTIONS}
        self._states.update((state.pair, state) for state in changed if state.pair in CONVENTIONS)
        self._answers = {pair: self._answer(state) for pair, state in self._states.items()}
        self._names: dict[Choice, list[str]] = {}
        self._currencies = reference_service_pb2.ListCurrenciesResponse(
            currencies=[currency_message(CURRENCIES[code], CALENDARS[code]) for code in sorted(CURRENCIES)]
        )

    @staticmethod
    def _answer(state: State) -> reference_service_pb2.GetInstrumentResponse:
        message = instrument_message(CONVENTIONS[state.pair], state)
        return reference_service_pb2.GetInstrumentResponse(instrument=message)

    @property
    def states(self) -> Mapping[Pair, State]:
        """The state of every instrument."""
        return self._states

    @property
    def currencies(self) -> reference_service_pb2.ListCurrenciesResponse:
        """All currencies in order of code; not to be changed."""
        return self._currencies

    def apply(self, state: State) -> bool:
        """Takes over a committed state; one that is not newer is ignored, so that order of arrival does not matter."""
        if state.version <= self._states[state.pair].version:
            return False
        self._states[state.pair] = state
        self._answers[state.pair] = self._answer(state)
        return True

    def find(self, base: str, counter: str) -> Pair:
        """The instrument of two currencies.

        Raises:
            Failure: NOT_FOUND; the message names the instrument in the market's order if there is one.
        """
        pair = Pair(base, counter)
        if pair in self._answers:
            return pair
        failure = errors.not_found("instrument", str(pair))
        if pair.inverse in self._answers:
            failure.message += f"; the market names it {pair.inverse}"
        raise failure

    def get(self, base: str, counter: str) -> reference_service_pb2.GetInstrumentResponse:
        """The answer about one instrument; not to be changed.

        Raises:
            Failure: NOT_FOUND.
        """
        answer = self._answers.get((base, counter))
        return answer if answer is not None else self._answers[self.find(base, counter)]

    def page(self, choice: Choice, size: int, token: str) -> tuple[list[instrument_pb2.Instrument], str]:
        """At most `size` (at least 1) instruments in order of name, and the token of the next page ("" on the last).

        Raises:
            Failure: INVALID_REQUEST, the token is wrong; NOT_FOUND, the currency is not the platform's.
        """
        if choice.currency and choice.currency not in CURRENCIES:
            raise errors.not_found("currency", choice.currency)
        names = self._names_of(choice)
        start = bisect.bisect_right(names, choice.name_of(token)) if token else 0
        page = names[start : start + size]
        following = choice.token_after(page[-1]) if start + len(page) < len(names) else ""
        return [self._answers[Pair(*name.split("/"))].instrument for name in page], following

    def _names_of(self, choice: Choice) -> list[str]:
        names = self._names.get(choice)
        if names is None:
            # At most 4 choices for each currency and for none of them, so that this memory is bounded.
            names = self._names[choice] = [
                str(pair)
                for pair, convention in CONVENTIONS.items()
                if (not choice.currency or choice.currency in pair)
                and (convention.direct or not choice.direct_only)
                and (convention.last_trade_date is None or choice.include_ended)
            ]
        return names
