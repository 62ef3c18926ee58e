import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CorrectionState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CORRECTION_STATE_UNSPECIFIED: _ClassVar[CorrectionState]
    CORRECTION_STATE_PROPOSED: _ClassVar[CorrectionState]
    CORRECTION_STATE_APPROVED: _ClassVar[CorrectionState]
    CORRECTION_STATE_REJECTED: _ClassVar[CorrectionState]
CORRECTION_STATE_UNSPECIFIED: CorrectionState
CORRECTION_STATE_PROPOSED: CorrectionState
CORRECTION_STATE_APPROVED: CorrectionState
CORRECTION_STATE_REJECTED: CorrectionState

class Adjustment(_message.Message):
    __slots__ = ("currency", "amount", "value_date")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    currency: str
    amount: str
    value_date: _date_pb2.Date
    def __init__(self, currency: _Optional[str] = ..., amount: _Optional[str] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Correction(_message.Message):
    __slots__ = ("correction_id", "account", "reverses", "adjustment", "reason", "state", "proposed_by", "decided_by", "propose_time", "decide_time", "entry")
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REVERSES_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    PROPOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    correction_id: str
    account: str
    reverses: int
    adjustment: Adjustment
    reason: str
    state: CorrectionState
    proposed_by: str
    decided_by: str
    propose_time: _timestamp_pb2.Timestamp
    decide_time: _timestamp_pb2.Timestamp
    entry: int
    def __init__(self, correction_id: _Optional[str] = ..., account: _Optional[str] = ..., reverses: _Optional[int] = ..., adjustment: _Optional[_Union[Adjustment, _Mapping]] = ..., reason: _Optional[str] = ..., state: _Optional[_Union[CorrectionState, str]] = ..., proposed_by: _Optional[str] = ..., decided_by: _Optional[str] = ..., propose_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., entry: _Optional[int] = ...) -> None: ...
