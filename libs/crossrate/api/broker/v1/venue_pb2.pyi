import datetime

from buf.validate import validate_pb2 as _validate_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VenueState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VENUE_STATE_UNSPECIFIED: _ClassVar[VenueState]
    VENUE_STATE_ENABLED: _ClassVar[VenueState]
    VENUE_STATE_DRAINING: _ClassVar[VenueState]
    VENUE_STATE_DISABLED: _ClassVar[VenueState]

class VenueSession(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VENUE_SESSION_UNSPECIFIED: _ClassVar[VenueSession]
    VENUE_SESSION_AWAY: _ClassVar[VenueSession]
    VENUE_SESSION_CONNECTING: _ClassVar[VenueSession]
    VENUE_SESSION_RECOVERING: _ClassVar[VenueSession]
    VENUE_SESSION_READY: _ClassVar[VenueSession]
VENUE_STATE_UNSPECIFIED: VenueState
VENUE_STATE_ENABLED: VenueState
VENUE_STATE_DRAINING: VenueState
VENUE_STATE_DISABLED: VenueState
VENUE_SESSION_UNSPECIFIED: VenueSession
VENUE_SESSION_AWAY: VenueSession
VENUE_SESSION_CONNECTING: VenueSession
VENUE_SESSION_RECOVERING: VenueSession
VENUE_SESSION_READY: VenueSession

class VenueCounts(_message.Message):
    __slots__ = ("sent", "accepted", "refused", "fills", "unknown")
    SENT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    FILLS_FIELD_NUMBER: _ClassVar[int]
    UNKNOWN_FIELD_NUMBER: _ClassVar[int]
    sent: int
    accepted: int
    refused: int
    fills: int
    unknown: int
    def __init__(self, sent: _Optional[int] = ..., accepted: _Optional[int] = ..., refused: _Optional[int] = ..., fills: _Optional[int] = ..., unknown: _Optional[int] = ...) -> None: ...

class VenueLimits(_message.Message):
    __slots__ = ("order_quantity_max", "open_orders_max", "unsent_s_max")
    ORDER_QUANTITY_MAX_FIELD_NUMBER: _ClassVar[int]
    OPEN_ORDERS_MAX_FIELD_NUMBER: _ClassVar[int]
    UNSENT_S_MAX_FIELD_NUMBER: _ClassVar[int]
    order_quantity_max: str
    open_orders_max: int
    unsent_s_max: float
    def __init__(self, order_quantity_max: _Optional[str] = ..., open_orders_max: _Optional[int] = ..., unsent_s_max: _Optional[float] = ...) -> None: ...

class Venue(_message.Message):
    __slots__ = ("name", "kind", "state", "state_by", "state_reason", "state_time", "state_version", "session", "session_text", "session_time", "instance", "takes_orders", "latency_us", "counts", "limits", "open_orders", "waiting", "latency_p99_us")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    STATE_BY_FIELD_NUMBER: _ClassVar[int]
    STATE_REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_TIME_FIELD_NUMBER: _ClassVar[int]
    STATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    SESSION_TEXT_FIELD_NUMBER: _ClassVar[int]
    SESSION_TIME_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    TAKES_ORDERS_FIELD_NUMBER: _ClassVar[int]
    LATENCY_US_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    OPEN_ORDERS_FIELD_NUMBER: _ClassVar[int]
    WAITING_FIELD_NUMBER: _ClassVar[int]
    LATENCY_P99_US_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: str
    state: VenueState
    state_by: str
    state_reason: str
    state_time: _timestamp_pb2.Timestamp
    state_version: int
    session: VenueSession
    session_text: str
    session_time: _timestamp_pb2.Timestamp
    instance: str
    takes_orders: bool
    latency_us: int
    counts: VenueCounts
    limits: VenueLimits
    open_orders: int
    waiting: int
    latency_p99_us: int
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[str] = ..., state: _Optional[_Union[VenueState, str]] = ..., state_by: _Optional[str] = ..., state_reason: _Optional[str] = ..., state_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., state_version: _Optional[int] = ..., session: _Optional[_Union[VenueSession, str]] = ..., session_text: _Optional[str] = ..., session_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., instance: _Optional[str] = ..., takes_orders: _Optional[bool] = ..., latency_us: _Optional[int] = ..., counts: _Optional[_Union[VenueCounts, _Mapping]] = ..., limits: _Optional[_Union[VenueLimits, _Mapping]] = ..., open_orders: _Optional[int] = ..., waiting: _Optional[int] = ..., latency_p99_us: _Optional[int] = ...) -> None: ...
