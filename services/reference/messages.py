"""Values of the desk as messages of the contract, and dates of the contract as values."""

from __future__ import annotations

from datetime import date, datetime

from google.protobuf.timestamp_pb2 import Timestamp
from google.type.date_pb2 import Date

from crossrate.api.reference.v1 import instrument_pb2, reference_events_pb2
from crossrate.basics.calendar import Calendar
from crossrate.basics.currency import Currency
from crossrate.basics.instrument import Convention
from crossrate.basics.session import Standing
from crossrate.basics.value_date import ValueDate
from crossrate.rpc import errors
from services.reference.domain import State, StatusChanged


def date_message(day: date) -> Date:
    """A day as the contract writes it."""
    return Date(year=day.year, month=day.month, day=day.day)


def date_of(message: Date, field: str) -> date:
    """A day from a request.

    Raises:
        Failure: INVALID_REQUEST, it is no full date of the calendar.
    """
    try:
        return date(message.year, message.month, message.day)
    except ValueError as error:
        raise errors.invalid((field, f"is no date: {error}")) from None


def timestamp(moment: datetime) -> Timestamp:
    """A moment as the contract writes it."""
    message = Timestamp()
    message.FromDatetime(moment)
    return message


def instrument_message(convention: Convention, state: State) -> instrument_pb2.Instrument:
    """An instrument: its conventions and its status."""
    pair = convention.pair
    return instrument_pb2.Instrument(
        name=str(pair),
        base=pair.base,
        counter=pair.counter,
        pip=convention.pip,
        price_precision=convention.price_places,
        spot_lag_days=convention.spot_lag_days,
        swap_point_unit=convention.pip,
        min_quantity=str(convention.min_quantity),
        quantity_step=str(convention.quantity_step),
        status=int(state.status),
        version=state.version,
        update_time=timestamp(state.update_time) if state.update_time else None,
        non_deliverable=not convention.deliverable,
        direct=convention.direct,
        last_trade_date=date_message(convention.last_trade_date) if convention.last_trade_date else None,
    )


def currency_message(currency: Currency, calendar: Calendar) -> instrument_pb2.Currency:
    """A currency and the range of its settlement calendar."""
    return instrument_pb2.Currency(
        code=currency.code,
        name=currency.name,
        minor_units=currency.minor_units,
        deliverable=currency.deliverable,
        settlement_centre=calendar.centre,
        last_date=date_message(currency.last_day) if currency.last_day else None,
        successor=currency.successor,
        successor_rate=currency.successor_rate,
        calendar_first_date=date_message(calendar.first),
        calendar_last_date=date_message(calendar.last),
        calendar_source=calendar.source,
    )


def session_message(standing: Standing) -> instrument_pb2.TradingSession:
    """A trading day and whether the market is open."""
    return instrument_pb2.TradingSession(
        trade_date=date_message(standing.session.trade_date),
        open_time=timestamp(standing.session.begin),
        close_time=timestamp(standing.session.end),
        open=standing.open,
        next_open_time=timestamp(standing.next_open),
    )


def value_date_message(dates: ValueDate, tenor: str = "") -> instrument_pb2.ValueDate:
    """A tenor's dates, under the name by which it was asked for."""
    return instrument_pb2.ValueDate(
        tenor=tenor or dates.tenor,
        near_date=date_message(dates.near),
        far_date=date_message(dates.far),
        days_from_spot=dates.days_from_spot,
    )


def status_changed_message(
    event: StatusChanged, convention: Convention, state: State
) -> reference_events_pb2.InstrumentStatusChanged:
    """The fact that travels to other services; `state` is the one after the event."""
    return reference_events_pb2.InstrumentStatusChanged(
        instrument=instrument_message(convention, state),
        previous_status=int(event.previous),
        comment=event.comment,
        request_id=event.request_id,
    )
