import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.ledger.v1 import balance_pb2 as _balance_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import kill_switch_pb2 as _kill_switch_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MarginStanding(_message.Message):
    __slots__ = ("account", "desk", "currency", "equity", "margin_used", "margin_free", "level", "call_level", "close_out_level", "state", "since_time", "unknown", "close_out_id")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    MARGIN_USED_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FREE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    CALL_LEVEL_FIELD_NUMBER: _ClassVar[int]
    CLOSE_OUT_LEVEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_TIME_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    CLOSE_OUT_ID_FIELD_NUMBER: _ClassVar[int]
    account: str
    desk: str
    currency: str
    equity: str
    margin_used: str
    margin_free: str
    level: str
    call_level: str
    close_out_level: str
    state: _balance_pb2.MarginState
    since_time: _timestamp_pb2.Timestamp
    unknown: str
    close_out_id: str
    def __init__(self, account: _Optional[str] = ..., desk: _Optional[str] = ..., currency: _Optional[str] = ..., equity: _Optional[str] = ..., margin_used: _Optional[str] = ..., margin_free: _Optional[str] = ..., level: _Optional[str] = ..., call_level: _Optional[str] = ..., close_out_level: _Optional[str] = ..., state: _Optional[_Union[_balance_pb2.MarginState, str]] = ..., since_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., unknown: _Optional[str] = ..., close_out_id: _Optional[str] = ...) -> None: ...

class CloseOut(_message.Message):
    __slots__ = ("close_out_id", "account", "begun", "begin_time", "steps", "end_time", "end_text")
    CLOSE_OUT_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    BEGUN_FIELD_NUMBER: _ClassVar[int]
    BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TEXT_FIELD_NUMBER: _ClassVar[int]
    close_out_id: str
    account: str
    begun: MarginStanding
    begin_time: _timestamp_pb2.Timestamp
    steps: _containers.RepeatedCompositeFieldContainer[_kill_switch_pb2.FlattenStep]
    end_time: _timestamp_pb2.Timestamp
    end_text: str
    def __init__(self, close_out_id: _Optional[str] = ..., account: _Optional[str] = ..., begun: _Optional[_Union[MarginStanding, _Mapping]] = ..., begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., steps: _Optional[_Iterable[_Union[_kill_switch_pb2.FlattenStep, _Mapping]]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_text: _Optional[str] = ...) -> None: ...
