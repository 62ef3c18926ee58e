"""The gRPC surface of `reference`: reads come from the catalogue and the calendars, the one write goes to the store."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

from google.protobuf.timestamp_pb2 import Timestamp

from crossrate.api.reference.v1 import reference_service_pb2 as pb
from crossrate.api.reference.v1.reference_service_pb2_grpc import ReferenceServiceServicer
from crossrate.basics.calendar import Calendar, OutsideCalendar
from crossrate.basics.calendars import CALENDARS
from crossrate.basics.instrument import CONVENTIONS
from crossrate.basics.pair import Pair
from crossrate.basics.session import standing_at
from crossrate.basics.tenor import parse_tenor
from crossrate.basics.value_date import NotDealt, ValueDate, ValueDates
from crossrate.rpc import errors
from crossrate.store.errors import OutcomeUnknown, RequestIdReused, StaleWriter, StoreUnavailable
from crossrate.store.requests import body_of
from services.reference.catalogue import Catalogue, Choice
from services.reference.domain import Ended, SetStatus, State, Status, VersionConflict, after, decide
from services.reference.messages import (
    date_message,
    date_of,
    instrument_message,
    session_message,
    value_date_message,
)
from services.reference.settings import LiveSettings
from services.reference.store import Store

SETTLEMENT_DAYS_MAX = 3660
"""Longest range of settlement days in one answer."""

SESSIONS_FIRST, SESSIONS_LAST = date(1999, 1, 1), date(2099, 12, 31)
"""Days for which sessions are given; daylight saving of the future is that of today's law."""

Clock = Callable[[], datetime]
"""Now, in UTC."""


class ReferenceService(ReferenceServiceServicer):
    """Answers every call of the contract."""

    def __init__(
        self, catalogue: Catalogue, store: Store, clock: Clock, live: Callable[[], LiveSettings] = LiveSettings
    ) -> None:
        self._catalogue = catalogue
        self._store = store
        self._clock = clock
        self._live = live

    async def GetInstrument(self, request: pb.GetInstrumentRequest, context) -> pb.GetInstrumentResponse:
        """See the contract."""
        return self._catalogue.get(request.base, request.counter)

    async def ListInstruments(self, request: pb.ListInstrumentsRequest, context) -> pb.ListInstrumentsResponse:
        """See the contract."""
        choice = Choice(request.currency, request.direct_only, request.include_ended)
        size = request.page_size or self._live().page_size_default
        instruments, token = self._catalogue.page(choice, size, request.page_token)
        return pb.ListInstrumentsResponse(instruments=instruments, next_page_token=token)

    async def ListCurrencies(self, request: pb.ListCurrenciesRequest, context) -> pb.ListCurrenciesResponse:
        """See the contract."""
        return self._catalogue.currencies

    async def ListSettlementDays(self, request: pb.ListSettlementDaysRequest, context) -> pb.ListSettlementDaysResponse:
        """See the contract."""
        calendar = _calendar(request.currency)
        start, end = date_of(request.start_date, "start_date"), date_of(request.end_date, "end_date")
        if not 0 <= (end - start).days < SETTLEMENT_DAYS_MAX:
            raise errors.invalid(("end_date", f"must be 0 to {SETTLEMENT_DAYS_MAX - 1} days after start_date"))
        try:
            days, holidays = calendar.settlement_days(start, end), calendar.holidays(start, end)
        except OutsideCalendar as error:
            raise _outside(error) from None
        return pb.ListSettlementDaysResponse(
            settlement_days=[date_message(day) for day in days],
            holidays=[pb.Holiday(date=date_message(day), name=name) for day, name in holidays],
        )

    async def GetTradingSession(self, request: pb.GetTradingSessionRequest, context) -> pb.GetTradingSessionResponse:
        """See the contract."""
        pair = self._catalogue.find(request.base, request.counter)
        moment = _moment(request.at_time) if request.HasField("at_time") else self._clock()
        return pb.GetTradingSessionResponse(session=session_message(standing_at(pair, moment)))

    async def ListValueDates(self, request: pb.ListValueDatesRequest, context) -> pb.ListValueDatesResponse:
        """See the contract."""
        pair = self._catalogue.find(request.base, request.counter)
        if request.HasField("trade_date"):
            trade_date = date_of(request.trade_date, "trade_date")
        else:
            trade_date = standing_at(pair, self._clock()).session.trade_date
        try:
            dates = _value_dates(pair, trade_date)
            if request.tenors:
                found = [(text, _value_date(dates, text, i)) for i, text in enumerate(request.tenors)]
            else:
                found = [(each.tenor, each) for each in dates.standard()]
        except OutsideCalendar as error:
            raise _outside(error) from None
        return pb.ListValueDatesResponse(
            trade_date=date_message(trade_date),
            spot_date=date_message(dates.spot),
            value_dates=[value_date_message(each, text) for text, each in found],
        )

    async def SetInstrumentStatus(
        self, request: pb.SetInstrumentStatusRequest, context
    ) -> pb.SetInstrumentStatusResponse:
        """See the contract."""
        pair = self._catalogue.find(request.base, request.counter)
        command = SetStatus(
            status=Status(request.status),
            comment=request.comment,
            request_id=request.request_id,
            expected_version=request.expected_version,
        )
        try:
            if request.validate_only:
                state = self._catalogue.states[pair]
                return _changed(after(state, decide(state, command, self._clock())))
            change = await self._store.set_status(pair, command, body_of(request), self._clock())
        except VersionConflict as error:
            raise errors.version_conflict(error.expected, error.actual) from None
        except Ended as error:
            raise errors.wrong_state("ENDED", str(error)) from None
        except RequestIdReused:
            raise errors.request_id_reused(request.request_id) from None
        except OutcomeUnknown:
            raise errors.outcome_unknown(request.request_id) from None
        except (StoreUnavailable, StaleWriter) as error:
            raise errors.dependency_unavailable("postgres") from error
        if change.state is not None:
            self._catalogue.apply(change.state)
        return pb.SetInstrumentStatusResponse.FromString(change.answer)


def _changed(state: State) -> pb.SetInstrumentStatusResponse:
    return pb.SetInstrumentStatusResponse(instrument=instrument_message(CONVENTIONS[state.pair], state))


def _moment(at_time: Timestamp) -> datetime:
    try:
        moment = at_time.ToDatetime(UTC)
    except (ValueError, OverflowError) as error:
        raise errors.invalid(("at_time", f"is no time: {error}")) from None
    if not SESSIONS_FIRST <= moment.date() <= SESSIONS_LAST:
        words = f"sessions are known from {SESSIONS_FIRST} to {SESSIONS_LAST}"
        raise errors.outside_calendar(words, SESSIONS_FIRST.isoformat(), SESSIONS_LAST.isoformat())
    return moment


def _calendar(currency: str) -> Calendar:
    if currency not in CALENDARS:
        raise errors.not_found("currency", currency)
    return CALENDARS[currency]


def _value_dates(pair: Pair, trade_date: date) -> ValueDates:
    try:
        return ValueDates.of(pair, trade_date)
    except ValueError as error:
        raise errors.invalid(("trade_date", str(error))) from None


def _value_date(dates: ValueDates, text: str, index: int) -> ValueDate:
    field = f"tenors[{index}]"
    try:
        if "-" in text:
            return dates.broken(date.fromisoformat(text))
        return dates.at(parse_tenor(text))
    except (NotDealt, ValueError) as error:
        raise errors.invalid((field, str(error))) from None


def _outside(error: OutsideCalendar) -> errors.Failure:
    return errors.outside_calendar(str(error), error.first.isoformat(), error.last.isoformat())
