"""MovementService: what operators book, and the proof of the books."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from crossrate.api.ledger.v1 import movement_service_pb2 as pb
from crossrate.api.ledger.v1.movement_service_pb2_grpc import MovementServiceServicer
from crossrate.basics.holidays import SAT
from crossrate.rpc import errors
from crossrate.rpc.call import current, granted_accounts
from services.ledger import messages
from services.ledger.domain.amounts import money_text
from services.ledger.domain.entry import Entry, Kind, Purpose
from services.ledger.domain.postings import transfer
from services.ledger.domain.valuation import Unvalued, told, worth
from services.ledger.market import Market
from services.ledger.proof import prove
from services.ledger.roller import Roller, last_ended
from services.ledger.service.allocating import allocate
from services.ledger.service.balances import margin_terms
from services.ledger.service.booking import Booking, day_of, money_of, open_account
from services.ledger.service.correcting import decide, propose
from services.ledger.service.failures import failures
from services.ledger.settings import Settings
from services.ledger.store import corrections
from services.ledger.store.books import Books, Kept, Writing

BANK = "bank"


class MovementService(MovementServiceServicer):
    """Answers every call of the contract."""

    def __init__(
        self, books: Books, roller: Roller, market: Market, settings: Settings, clock: Callable[[], datetime]
    ) -> None:
        self._books = books
        self._booking = Booking(books)
        self._roller = roller
        self._market = market
        self._settings = settings
        self._clock = clock

    async def Deposit(self, request: pb.DepositRequest, context) -> pb.DepositResponse:
        """See the contract."""
        amount = money_of("amount", request.amount, "currency", request.currency)
        day = day_of("value_date", request, "value_date", self._clock().date())

        async def work(writing: Writing) -> pb.DepositResponse:
            kept = await open_account(writing, request.account)
            postings = transfer(request.currency, amount, day, Purpose.DEPOSIT, BANK)
            kept.post(self._entry(request, Kind.DEPOSIT, postings))
            (entry,) = await writing.flush()
            return pb.DepositResponse(entry=messages.entry_message(entry))

        return await self._booking.once(request, work, pb.DepositResponse)

    async def Withdraw(self, request: pb.WithdrawRequest, context) -> pb.WithdrawResponse:
        """See the contract."""
        amount = money_of("amount", request.amount, "currency", request.currency)
        today = self._clock().date()

        async def work(writing: Writing) -> pb.WithdrawResponse:
            kept = await open_account(writing, request.account)
            settled = kept.book.settled(request.currency, today)
            if amount > settled:
                words = f"amount: {request.amount} {request.currency} asked for, {money_text(settled)} has settled"
                raise errors.wrong_state("NOT_ENOUGH_CASH", f"{words}; withdraw less or wait for the value date")
            postings = transfer(request.currency, -amount, today, Purpose.WITHDRAWAL, BANK)
            kept.post(self._entry(request, Kind.WITHDRAWAL, postings))
            self._check_margin(kept)
            (entry,) = await writing.flush()
            return pb.WithdrawResponse(entry=messages.entry_message(entry))

        return await self._booking.once(request, work, pb.WithdrawResponse)

    def _check_margin(self, kept: Kept) -> None:
        """Refuses what would leave less equity than margin is used; with nothing open cash alone decides."""
        book = kept.book
        if not book.positions and all(amount >= 0 for amount in book.cash_by_currency().values()):
            return
        terms = margin_terms(kept, self._settings)
        value = worth(book, kept.account.currency, terms, self._market.price)
        if value.unvalued:
            raise Unvalued(value.unvalued[0])
        if value.margin_free < 0:
            short = money_text(told(-value.margin_free, value.currency))
            words = f"amount: {short} {value.currency} of margin would be missing"
            raise errors.wrong_state("NOT_ENOUGH_MARGIN", f"{words}; withdraw less, or close positions first")

    def _entry(self, request: pb.DepositRequest | pb.WithdrawRequest, kind: Kind, postings: tuple) -> Entry:
        return Entry(
            request.account,
            kind,
            request.request_id,
            0,
            postings=postings,
            entered_by=current().principal,
            text=request.text,
        )

    async def ProposeCorrection(self, request: pb.ProposeCorrectionRequest, context) -> pb.ProposeCorrectionResponse:
        """See the contract."""
        who, now = current().principal, self._clock()
        return await self._booking.once(
            request, lambda writing: propose(writing, request, who, now), pb.ProposeCorrectionResponse
        )

    async def ApproveCorrection(self, request: pb.ApproveCorrectionRequest, context) -> pb.ApproveCorrectionResponse:
        """See the contract."""
        who, now, method = current().principal, self._clock(), current().name
        return await self._booking.once(
            request, lambda writing: decide(writing, request, who, now, method), pb.ApproveCorrectionResponse
        )

    async def ListCorrections(self, request: pb.ListCorrectionsRequest, context) -> pb.ListCorrectionsResponse:
        """See the contract."""
        with failures():
            found = await corrections.listed(
                self._books.database, request.account, request.proposed, granted_accounts()
            )
        return pb.ListCorrectionsResponse(corrections=found)

    async def AllocateBlock(self, request: pb.AllocateBlockRequest, context) -> pb.AllocateBlockResponse:
        """See the contract."""
        who = current().principal
        return await self._booking.once(
            request, lambda writing: allocate(writing, request, who), pb.AllocateBlockResponse
        )

    async def RollDay(self, request: pb.RollDayRequest, context) -> pb.RollDayResponse:
        """See the contract."""
        day = day_of("trade_date", request, "trade_date", self._clock().date())
        if day.weekday() >= SAT:
            raise errors.invalid(("trade_date", f"{day} is a {day:%A}; trade dates run from Monday to Friday"))
        ended = last_ended(self._clock())
        if day > ended and not self._settings.simulated_days:
            words = f"{day} has not ended; the last one that has is {ended}"
            raise errors.wrong_state("DAY_NOT_ENDED", f"trade_date: {words}")
        with failures(request.request_id):
            outcome = await self._roller.end(day, entered_by=current().principal, only_check=request.validate_only)
        answer = pb.RollDayResponse(
            accounts=outcome.accounts, positions=outcome.positions, missing=sorted(outcome.missing)
        )
        for currency, amount in sorted(outcome.totals.items()):
            answer.totals.add(currency=currency, amount=money_text(amount))
        return answer

    async def VerifyBooks(self, request: pb.VerifyBooksRequest, context) -> pb.VerifyBooksResponse:
        """See the contract."""
        with failures():
            proof = await prove(self._books.database)
        return pb.VerifyBooksResponse(
            entries=proof.entries,
            postings=proof.postings,
            books=proof.books,
            journal_digest=proof.journal_digest,
            books_digest=proof.books_digest,
            differences=proof.differences,
        )
