import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InstrumentStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSTRUMENT_STATUS_UNSPECIFIED: _ClassVar[InstrumentStatus]
    INSTRUMENT_STATUS_TRADING: _ClassVar[InstrumentStatus]
    INSTRUMENT_STATUS_REDUCE_ONLY: _ClassVar[InstrumentStatus]
    INSTRUMENT_STATUS_HALTED: _ClassVar[InstrumentStatus]
INSTRUMENT_STATUS_UNSPECIFIED: InstrumentStatus
INSTRUMENT_STATUS_TRADING: InstrumentStatus
INSTRUMENT_STATUS_REDUCE_ONLY: InstrumentStatus
INSTRUMENT_STATUS_HALTED: InstrumentStatus

class Currency(_message.Message):
    __slots__ = ("code", "name", "minor_units", "deliverable", "settlement_centre", "last_date", "successor", "successor_rate", "calendar_first_date", "calendar_last_date", "calendar_source")
    CODE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    MINOR_UNITS_FIELD_NUMBER: _ClassVar[int]
    DELIVERABLE_FIELD_NUMBER: _ClassVar[int]
    SETTLEMENT_CENTRE_FIELD_NUMBER: _ClassVar[int]
    LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    SUCCESSOR_FIELD_NUMBER: _ClassVar[int]
    SUCCESSOR_RATE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIRST_DATE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_LAST_DATE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_SOURCE_FIELD_NUMBER: _ClassVar[int]
    code: str
    name: str
    minor_units: int
    deliverable: bool
    settlement_centre: str
    last_date: _date_pb2.Date
    successor: str
    successor_rate: str
    calendar_first_date: _date_pb2.Date
    calendar_last_date: _date_pb2.Date
    calendar_source: str
    def __init__(self, code: _Optional[str] = ..., name: _Optional[str] = ..., minor_units: _Optional[int] = ..., deliverable: _Optional[bool] = ..., settlement_centre: _Optional[str] = ..., last_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., successor: _Optional[str] = ..., successor_rate: _Optional[str] = ..., calendar_first_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., calendar_last_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., calendar_source: _Optional[str] = ...) -> None: ...

class Instrument(_message.Message):
    __slots__ = ("name", "base", "counter", "pip", "price_precision", "spot_lag_days", "swap_point_unit", "min_quantity", "quantity_step", "status", "version", "update_time", "non_deliverable", "direct", "last_trade_date")
    NAME_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    COUNTER_FIELD_NUMBER: _ClassVar[int]
    PIP_FIELD_NUMBER: _ClassVar[int]
    PRICE_PRECISION_FIELD_NUMBER: _ClassVar[int]
    SPOT_LAG_DAYS_FIELD_NUMBER: _ClassVar[int]
    SWAP_POINT_UNIT_FIELD_NUMBER: _ClassVar[int]
    MIN_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_STEP_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    NON_DELIVERABLE_FIELD_NUMBER: _ClassVar[int]
    DIRECT_FIELD_NUMBER: _ClassVar[int]
    LAST_TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    base: str
    counter: str
    pip: str
    price_precision: int
    spot_lag_days: int
    swap_point_unit: str
    min_quantity: str
    quantity_step: str
    status: InstrumentStatus
    version: int
    update_time: _timestamp_pb2.Timestamp
    non_deliverable: bool
    direct: bool
    last_trade_date: _date_pb2.Date
    def __init__(self, name: _Optional[str] = ..., base: _Optional[str] = ..., counter: _Optional[str] = ..., pip: _Optional[str] = ..., price_precision: _Optional[int] = ..., spot_lag_days: _Optional[int] = ..., swap_point_unit: _Optional[str] = ..., min_quantity: _Optional[str] = ..., quantity_step: _Optional[str] = ..., status: _Optional[_Union[InstrumentStatus, str]] = ..., version: _Optional[int] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., non_deliverable: _Optional[bool] = ..., direct: _Optional[bool] = ..., last_trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class TradingSession(_message.Message):
    __slots__ = ("trade_date", "open_time", "close_time", "open", "next_open_time")
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    NEXT_OPEN_TIME_FIELD_NUMBER: _ClassVar[int]
    trade_date: _date_pb2.Date
    open_time: _timestamp_pb2.Timestamp
    close_time: _timestamp_pb2.Timestamp
    open: bool
    next_open_time: _timestamp_pb2.Timestamp
    def __init__(self, trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., open: _Optional[bool] = ..., next_open_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ValueDate(_message.Message):
    __slots__ = ("tenor", "near_date", "far_date", "days_from_spot")
    TENOR_FIELD_NUMBER: _ClassVar[int]
    NEAR_DATE_FIELD_NUMBER: _ClassVar[int]
    FAR_DATE_FIELD_NUMBER: _ClassVar[int]
    DAYS_FROM_SPOT_FIELD_NUMBER: _ClassVar[int]
    tenor: str
    near_date: _date_pb2.Date
    far_date: _date_pb2.Date
    days_from_spot: int
    def __init__(self, tenor: _Optional[str] = ..., near_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., far_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., days_from_spot: _Optional[int] = ...) -> None: ...
