import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.reference.v1 import instrument_pb2 as _instrument_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetInstrumentRequest(_message.Message):
    __slots__ = ("base", "counter")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ...) -> None: ...

class GetInstrumentResponse(_message.Message):
    __slots__ = ("instrument",)
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ...) -> None: ...

class ListInstrumentsRequest(_message.Message):
    __slots__ = ("currency", "direct_only", "page_size", "page_token", "include_ended")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    DIRECT_ONLY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_ENDED_FIELD_NUMBER: _ClassVar[int]
    currency: str
    direct_only: bool
    page_size: int
    page_token: str
    include_ended: bool
    def __init__(self, currency: _Optional[str] = ..., direct_only: _Optional[bool] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_ended: _Optional[bool] = ...) -> None: ...

class ListInstrumentsResponse(_message.Message):
    __slots__ = ("instruments", "next_page_token")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Instrument]
    next_page_token: str
    def __init__(self, instruments: _Optional[_Iterable[_Union[_instrument_pb2.Instrument, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SetInstrumentStatusRequest(_message.Message):
    __slots__ = ("request_id", "base", "counter", "status", "comment", "expected_version", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    base: str
    counter: str
    status: _instrument_pb2.InstrumentStatus
    comment: str
    expected_version: int
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., base: _Optional[str] = ..., counter: _Optional[str] = ..., status: _Optional[_Union[_instrument_pb2.InstrumentStatus, str]] = ..., comment: _Optional[str] = ..., expected_version: _Optional[int] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class SetInstrumentStatusResponse(_message.Message):
    __slots__ = ("instrument",)
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    instrument: _instrument_pb2.Instrument
    def __init__(self, instrument: _Optional[_Union[_instrument_pb2.Instrument, _Mapping]] = ...) -> None: ...

class ListCurrenciesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListCurrenciesResponse(_message.Message):
    __slots__ = ("currencies",)
    CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    currencies: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.Currency]
    def __init__(self, currencies: _Optional[_Iterable[_Union[_instrument_pb2.Currency, _Mapping]]] = ...) -> None: ...

class ListSettlementDaysRequest(_message.Message):
    __slots__ = ("currency", "start_date", "end_date")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    currency: str
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    def __init__(self, currency: _Optional[str] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Holiday(_message.Message):
    __slots__ = ("date", "name")
    DATE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    name: str
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., name: _Optional[str] = ...) -> None: ...

class ListSettlementDaysResponse(_message.Message):
    __slots__ = ("settlement_days", "holidays")
    SETTLEMENT_DAYS_FIELD_NUMBER: _ClassVar[int]
    HOLIDAYS_FIELD_NUMBER: _ClassVar[int]
    settlement_days: _containers.RepeatedCompositeFieldContainer[_date_pb2.Date]
    holidays: _containers.RepeatedCompositeFieldContainer[Holiday]
    def __init__(self, settlement_days: _Optional[_Iterable[_Union[_date_pb2.Date, _Mapping]]] = ..., holidays: _Optional[_Iterable[_Union[Holiday, _Mapping]]] = ...) -> None: ...

class GetTradingSessionRequest(_message.Message):
    __slots__ = ("base", "counter", "at_time")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    AT_TIME_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    at_time: _timestamp_pb2.Timestamp
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., at_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetTradingSessionResponse(_message.Message):
    __slots__ = ("session",)
    SESSION_FIELD_NUMBER: _ClassVar[int]
    session: _instrument_pb2.TradingSession
    def __init__(self, session: _Optional[_Union[_instrument_pb2.TradingSession, _Mapping]] = ...) -> None: ...

class ListValueDatesRequest(_message.Message):
    __slots__ = ("base", "counter", "trade_date", "tenors")
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    TENORS_FIELD_NUMBER: _ClassVar[int]
    base: str
    counter: str
    trade_date: _date_pb2.Date
    tenors: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, base: _Optional[str] = ..., counter: _Optional[str] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., tenors: _Optional[_Iterable[str]] = ...) -> None: ...

class ListValueDatesResponse(_message.Message):
    __slots__ = ("trade_date", "spot_date", "value_dates")
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    SPOT_DATE_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATES_FIELD_NUMBER: _ClassVar[int]
    trade_date: _date_pb2.Date
    spot_date: _date_pb2.Date
    value_dates: _containers.RepeatedCompositeFieldContainer[_instrument_pb2.ValueDate]
    def __init__(self, trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., spot_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., value_dates: _Optional[_Iterable[_Union[_instrument_pb2.ValueDate, _Mapping]]] = ...) -> None: ...
