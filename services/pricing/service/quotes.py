"""Quotes over gRPC."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from crossrate.api.pricing.v1 import quote_pb2
from crossrate.api.pricing.v1 import quoting_service_pb2 as pb
from crossrate.api.pricing.v1.quoting_service_pb2_grpc import QuotingServiceServicer
from crossrate.rpc import errors
from crossrate.rpc.call import current_or_none
from crossrate.rpc.caller import EDGE
from crossrate.rpc.grants import WATCHING
from services.pricing import messages
from services.pricing.failures import failures
from services.pricing.quote_store import CANCELLED, EXECUTED, End, Fresh, Kept, NoSuchQuote, NotActive, QuoteStore
from services.pricing.quoting import Quoting
from services.pricing.service.bodies import body_of

SIDES = {quote_pb2.QUOTE_SIDE_BUY: "offer", quote_pb2.QUOTE_SIDE_SELL: "bid"}
"""The field of a quote at whose price a client deals."""
MAY_WITHDRAW = frozenset({"risk_officer", "operator"})
"""Roles that withdraw every quote."""
ENDED_WORDS = {
    "EXPIRED": "the quote has expired: ask for another",
    "CANCELLED": "the quote was withdrawn: ask for another",
    "EXECUTED": "the quote was executed before: it is executed once",
}


class QuotingService(QuotingServiceServicer):
    """Quotes: made, read, taken, withdrawn."""

    def __init__(self, quoting: Quoting, quotes: QuoteStore, new_id: Callable[[], str]) -> None:
        self._quoting = quoting
        self._quotes = quotes
        self._new_id = new_id

    async def RequestQuote(self, request: pb.RequestQuoteRequest, context: Any) -> pb.RequestQuoteResponse:
        """See the contract."""
        call = current_or_none()
        if request.client_class and call is not None and call.caller == EDGE:
            raise errors.invalid(("client_class", "is not for a client of the edge to say: leave it empty"))
        body = body_of(request)
        with failures(request.request_id):
            if not request.validate_only:
                # Before the market is asked: a repetition has its answer also when there is no price any more.
                known = await self._quotes.answered(request.request_id, body)
                if known is not None:
                    return pb.RequestQuoteResponse.FromString(known)
            made = await self._quoting.made(request)
            quote = made.quote
            if request.validate_only:
                quote.snapshot_id = ""
                return pb.RequestQuoteResponse(quote=quote)

            def content(created: datetime, until: datetime) -> tuple[bytes, bytes]:
                quote.quote_id, quote.state = quote_id, quote_pb2.QUOTE_STATE_ACTIVE
                quote.requested_by = call.principal if call is not None else ""
                quote.create_time.FromDatetime(created)
                quote.valid_until_time.FromDatetime(until)
                return quote.SerializeToString(), pb.RequestQuoteResponse(quote=quote).SerializeToString()

            quote_id, taken = self._new_id(), made.snapshot
            moment = messages.moment_of(taken.as_of, "as_of")
            key = (taken.id, moment, taken.market, taken.market_version)
            fresh = Fresh(quote_id, made.validity, key, taken.SerializeToString(), content)
            written = await self._quotes.put(request.request_id, body, fresh)
        return pb.RequestQuoteResponse.FromString(written)

    async def GetQuoteTerms(self, request: pb.GetQuoteTermsRequest, context: Any) -> pb.GetQuoteTermsResponse:
        """See the contract."""
        with failures(), _ends():
            quote = _standing(await self._quotes.get(request.quote_id))
            _check_owner(quote, WATCHING)
            return pb.GetQuoteTermsResponse(quote=quote)

    async def TakeQuote(self, request: pb.TakeQuoteRequest, context: Any) -> pb.TakeQuoteResponse:
        """See the contract."""

        def wanted(content: bytes) -> End:
            quote = quote_pb2.ExecutableQuote.FromString(content)
            if not quote.HasField(SIDES[request.side]):
                words = f"the quote has no {SIDES[request.side]}: it was asked for the other side only"
                raise errors.invalid(("side", words))
            return End(EXECUTED, request.comment, request.side)

        def answer(kept: Kept) -> bytes:
            return pb.TakeQuoteResponse(quote=_standing(kept)).SerializeToString()

        with failures(request.request_id), _ends():
            written = await self._quotes.end(request.request_id, body_of(request), request.quote_id, wanted, answer)
        return pb.TakeQuoteResponse.FromString(written)

    async def CancelQuote(self, request: pb.CancelQuoteRequest, context: Any) -> pb.CancelQuoteResponse:
        """See the contract."""

        def wanted(content: bytes) -> End:
            _check_owner(quote_pb2.ExecutableQuote.FromString(content), MAY_WITHDRAW)
            return End(CANCELLED, request.comment)

        def answer(kept: Kept) -> bytes:
            return pb.CancelQuoteResponse(quote=_standing(kept)).SerializeToString()

        with failures(request.request_id), _ends():
            written = await self._quotes.end(request.request_id, body_of(request), request.quote_id, wanted, answer)
        return pb.CancelQuoteResponse.FromString(written)


@contextmanager
def _ends() -> Iterator[None]:
    try:
        yield
    except NoSuchQuote as error:
        raise errors.not_found("quote", str(error)) from None
    except NotActive as error:
        raise errors.wrong_state(error.state, ENDED_WORDS[error.state]) from None


def _check_owner(quote: quote_pb2.ExecutableQuote, beside: frozenset[str]) -> None:
    """A client of the edge has its own quotes, unless a role of its own lets it have all.

    Raises:
        NoSuchQuote: it is another's.
    """
    call = current_or_none()
    if call is None or call.caller != EDGE or call.client is None:
        return
    if quote.requested_by != call.principal and not call.client.roles & beside:
        raise NoSuchQuote(quote.quote_id)


def _standing(kept: Kept) -> quote_pb2.ExecutableQuote:
    """A quote with the state that it is in."""
    quote = quote_pb2.ExecutableQuote.FromString(kept.content)
    quote.state = quote_pb2.QuoteState.Value(f"QUOTE_STATE_{kept.state}")
    if kept.end is not None:
        quote.end_time.FromDatetime(kept.end_time)
        quote.end_comment, quote.executed_side = kept.end.comment, kept.end.side
    return quote
