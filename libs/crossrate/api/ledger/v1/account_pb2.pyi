import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PositionMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    POSITION_MODE_UNSPECIFIED: _ClassVar[PositionMode]
    POSITION_MODE_NETTING: _ClassVar[PositionMode]
    POSITION_MODE_HEDGING: _ClassVar[PositionMode]

class CostMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COST_METHOD_UNSPECIFIED: _ClassVar[CostMethod]
    COST_METHOD_FIFO: _ClassVar[CostMethod]
    COST_METHOD_AVERAGE: _ClassVar[CostMethod]

class AccountStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCOUNT_STATUS_UNSPECIFIED: _ClassVar[AccountStatus]
    ACCOUNT_STATUS_ACTIVE: _ClassVar[AccountStatus]
    ACCOUNT_STATUS_CLOSE_ONLY: _ClassVar[AccountStatus]
    ACCOUNT_STATUS_CLOSED: _ClassVar[AccountStatus]
POSITION_MODE_UNSPECIFIED: PositionMode
POSITION_MODE_NETTING: PositionMode
POSITION_MODE_HEDGING: PositionMode
COST_METHOD_UNSPECIFIED: CostMethod
COST_METHOD_FIFO: CostMethod
COST_METHOD_AVERAGE: CostMethod
ACCOUNT_STATUS_UNSPECIFIED: AccountStatus
ACCOUNT_STATUS_ACTIVE: AccountStatus
ACCOUNT_STATUS_CLOSE_ONLY: AccountStatus
ACCOUNT_STATUS_CLOSED: AccountStatus

class MarginLevels(_message.Message):
    __slots__ = ("call", "close_out")
    CALL_FIELD_NUMBER: _ClassVar[int]
    CLOSE_OUT_FIELD_NUMBER: _ClassVar[int]
    call: str
    close_out: str
    def __init__(self, call: _Optional[str] = ..., close_out: _Optional[str] = ...) -> None: ...

class DeskMargin(_message.Message):
    __slots__ = ("desk", "levels", "version")
    DESK_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    desk: str
    levels: MarginLevels
    version: int
    def __init__(self, desk: _Optional[str] = ..., levels: _Optional[_Union[MarginLevels, _Mapping]] = ..., version: _Optional[int] = ...) -> None: ...

class Account(_message.Message):
    __slots__ = ("account", "desk", "currency", "position_mode", "cost_method", "status", "margin_rate", "display_name", "version", "create_time", "margin_levels")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    DESK_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    POSITION_MODE_FIELD_NUMBER: _ClassVar[int]
    COST_METHOD_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MARGIN_RATE_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_NAME_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    MARGIN_LEVELS_FIELD_NUMBER: _ClassVar[int]
    account: str
    desk: str
    currency: str
    position_mode: PositionMode
    cost_method: CostMethod
    status: AccountStatus
    margin_rate: str
    display_name: str
    version: int
    create_time: _timestamp_pb2.Timestamp
    margin_levels: MarginLevels
    def __init__(self, account: _Optional[str] = ..., desk: _Optional[str] = ..., currency: _Optional[str] = ..., position_mode: _Optional[_Union[PositionMode, str]] = ..., cost_method: _Optional[_Union[CostMethod, str]] = ..., status: _Optional[_Union[AccountStatus, str]] = ..., margin_rate: _Optional[str] = ..., display_name: _Optional[str] = ..., version: _Optional[int] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., margin_levels: _Optional[_Union[MarginLevels, _Mapping]] = ...) -> None: ...
