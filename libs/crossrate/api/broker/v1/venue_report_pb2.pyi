import datetime

from crossrate.api.trading.v1 import execution_pb2 as _execution_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VenueReportKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VENUE_REPORT_KIND_UNSPECIFIED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_ACCEPTED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_REJECTED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_FILLED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_CANCELLED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_CANCEL_REJECTED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_REPLACED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_REPLACE_REJECTED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_EXPIRED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_UNKNOWN: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_TRADE_CANCELLED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_TRADE_CORRECTED: _ClassVar[VenueReportKind]
    VENUE_REPORT_KIND_ADOPTED: _ClassVar[VenueReportKind]
VENUE_REPORT_KIND_UNSPECIFIED: VenueReportKind
VENUE_REPORT_KIND_ACCEPTED: VenueReportKind
VENUE_REPORT_KIND_REJECTED: VenueReportKind
VENUE_REPORT_KIND_FILLED: VenueReportKind
VENUE_REPORT_KIND_CANCELLED: VenueReportKind
VENUE_REPORT_KIND_CANCEL_REJECTED: VenueReportKind
VENUE_REPORT_KIND_REPLACED: VenueReportKind
VENUE_REPORT_KIND_REPLACE_REJECTED: VenueReportKind
VENUE_REPORT_KIND_EXPIRED: VenueReportKind
VENUE_REPORT_KIND_UNKNOWN: VenueReportKind
VENUE_REPORT_KIND_TRADE_CANCELLED: VenueReportKind
VENUE_REPORT_KIND_TRADE_CORRECTED: VenueReportKind
VENUE_REPORT_KIND_ADOPTED: VenueReportKind

class VenueReport(_message.Message):
    __slots__ = ("sequence", "account", "order_id", "kind", "version", "venue", "venue_order_id", "fill", "exec_ref_id", "reason", "text", "venue_time", "time", "order")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    VENUE_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    EXEC_REF_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    account: str
    order_id: str
    kind: VenueReportKind
    version: int
    venue: str
    venue_order_id: str
    fill: _execution_pb2.Fill
    exec_ref_id: str
    reason: _execution_pb2.ExecutionReason
    text: str
    venue_time: _timestamp_pb2.Timestamp
    time: _timestamp_pb2.Timestamp
    order: _order_pb2.Order
    def __init__(self, sequence: _Optional[int] = ..., account: _Optional[str] = ..., order_id: _Optional[str] = ..., kind: _Optional[_Union[VenueReportKind, str]] = ..., version: _Optional[int] = ..., venue: _Optional[str] = ..., venue_order_id: _Optional[str] = ..., fill: _Optional[_Union[_execution_pb2.Fill, _Mapping]] = ..., exec_ref_id: _Optional[str] = ..., reason: _Optional[_Union[_execution_pb2.ExecutionReason, str]] = ..., text: _Optional[str] = ..., venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...
