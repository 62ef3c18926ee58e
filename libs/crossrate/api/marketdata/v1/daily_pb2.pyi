import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DailySourceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAILY_SOURCE_STATE_UNSPECIFIED: _ClassVar[DailySourceState]
    DAILY_SOURCE_STATE_CURRENT: _ClassVar[DailySourceState]
    DAILY_SOURCE_STATE_OUTDATED: _ClassVar[DailySourceState]
    DAILY_SOURCE_STATE_EMPTY: _ClassVar[DailySourceState]
DAILY_SOURCE_STATE_UNSPECIFIED: DailySourceState
DAILY_SOURCE_STATE_CURRENT: DailySourceState
DAILY_SOURCE_STATE_OUTDATED: DailySourceState
DAILY_SOURCE_STATE_EMPTY: DailySourceState

class DailyRate(_message.Message):
    __slots__ = ("date", "rate", "bid", "ask")
    DATE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    date: _date_pb2.Date
    rate: float
    bid: float
    ask: float
    def __init__(self, date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rate: _Optional[float] = ..., bid: _Optional[float] = ..., ask: _Optional[float] = ...) -> None: ...

class DailyProblem(_message.Message):
    __slots__ = ("file", "line", "field", "reason")
    FILE_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    file: str
    line: int
    field: str
    reason: str
    def __init__(self, file: _Optional[str] = ..., line: _Optional[int] = ..., field: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class DailySource(_message.Message):
    __slots__ = ("name", "description", "file", "base", "currencies", "start_date", "end_date", "day_count", "digest", "load_time", "state", "problems", "problem_count")
    NAME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FILE_FIELD_NUMBER: _ClassVar[int]
    BASE_FIELD_NUMBER: _ClassVar[int]
    CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    DAY_COUNT_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    LOAD_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_COUNT_FIELD_NUMBER: _ClassVar[int]
    name: str
    description: str
    file: str
    base: str
    currencies: _containers.RepeatedScalarFieldContainer[str]
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    day_count: int
    digest: str
    load_time: _timestamp_pb2.Timestamp
    state: DailySourceState
    problems: _containers.RepeatedCompositeFieldContainer[DailyProblem]
    problem_count: int
    def __init__(self, name: _Optional[str] = ..., description: _Optional[str] = ..., file: _Optional[str] = ..., base: _Optional[str] = ..., currencies: _Optional[_Iterable[str]] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., day_count: _Optional[int] = ..., digest: _Optional[str] = ..., load_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state: _Optional[_Union[DailySourceState, str]] = ..., problems: _Optional[_Iterable[_Union[DailyProblem, _Mapping]]] = ..., problem_count: _Optional[int] = ...) -> None: ...
