from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CheckKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECK_KIND_UNSPECIFIED: _ClassVar[CheckKind]
    CHECK_KIND_KILL_SWITCH: _ClassVar[CheckKind]
    CHECK_KIND_REFERENCE_QUOTE: _ClassVar[CheckKind]
    CHECK_KIND_INSTRUMENT: _ClassVar[CheckKind]
    CHECK_KIND_MARKET_HOURS: _ClassVar[CheckKind]
    CHECK_KIND_PRICE_COLLAR: _ClassVar[CheckKind]
    CHECK_KIND_ORDER_QUANTITY: _ClassVar[CheckKind]
    CHECK_KIND_ORDER_NOTIONAL: _ClassVar[CheckKind]
    CHECK_KIND_POSITION: _ClassVar[CheckKind]
    CHECK_KIND_CURRENCY_EXPOSURE: _ClassVar[CheckKind]
    CHECK_KIND_GROSS_EXPOSURE: _ClassVar[CheckKind]
    CHECK_KIND_CONCENTRATION: _ClassVar[CheckKind]
    CHECK_KIND_MARGIN: _ClassVar[CheckKind]
    CHECK_KIND_DAILY_LOSS: _ClassVar[CheckKind]
    CHECK_KIND_ORDER_RATE: _ClassVar[CheckKind]
    CHECK_KIND_DUPLICATE: _ClassVar[CheckKind]
    CHECK_KIND_SELF_TRADE: _ClassVar[CheckKind]
    CHECK_KIND_NET_EXPOSURE: _ClassVar[CheckKind]
    CHECK_KIND_OPEN_ORDERS: _ClassVar[CheckKind]
    CHECK_KIND_ACCOUNT: _ClassVar[CheckKind]
CHECK_KIND_UNSPECIFIED: CheckKind
CHECK_KIND_KILL_SWITCH: CheckKind
CHECK_KIND_REFERENCE_QUOTE: CheckKind
CHECK_KIND_INSTRUMENT: CheckKind
CHECK_KIND_MARKET_HOURS: CheckKind
CHECK_KIND_PRICE_COLLAR: CheckKind
CHECK_KIND_ORDER_QUANTITY: CheckKind
CHECK_KIND_ORDER_NOTIONAL: CheckKind
CHECK_KIND_POSITION: CheckKind
CHECK_KIND_CURRENCY_EXPOSURE: CheckKind
CHECK_KIND_GROSS_EXPOSURE: CheckKind
CHECK_KIND_CONCENTRATION: CheckKind
CHECK_KIND_MARGIN: CheckKind
CHECK_KIND_DAILY_LOSS: CheckKind
CHECK_KIND_ORDER_RATE: CheckKind
CHECK_KIND_DUPLICATE: CheckKind
CHECK_KIND_SELF_TRADE: CheckKind
CHECK_KIND_NET_EXPOSURE: CheckKind
CHECK_KIND_OPEN_ORDERS: CheckKind
CHECK_KIND_ACCOUNT: CheckKind

class Check(_message.Message):
    __slots__ = ("kind", "scope", "passed", "limit", "value", "headroom", "unit", "text", "limits_version")
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    PASSED_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    HEADROOM_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_VERSION_FIELD_NUMBER: _ClassVar[int]
    kind: CheckKind
    scope: str
    passed: bool
    limit: str
    value: str
    headroom: str
    unit: str
    text: str
    limits_version: int
    def __init__(self, kind: _Optional[_Union[CheckKind, str]] = ..., scope: _Optional[str] = ..., passed: _Optional[bool] = ..., limit: _Optional[str] = ..., value: _Optional[str] = ..., headroom: _Optional[str] = ..., unit: _Optional[str] = ..., text: _Optional[str] = ..., limits_version: _Optional[int] = ...) -> None: ...
