import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.trading.v1 import execution_pb2 as _execution_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetOrderRequest(_message.Message):
    __slots__ = ("account", "order")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    account: str
    order: str
    def __init__(self, account: _Optional[str] = ..., order: _Optional[str] = ...) -> None: ...

class GetOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class ListOrdersRequest(_message.Message):
    __slots__ = ("account", "working", "instrument", "strategy", "page_size", "page_token")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    WORKING_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    account: str
    working: bool
    instrument: str
    strategy: str
    page_size: int
    page_token: str
    def __init__(self, account: _Optional[str] = ..., working: _Optional[bool] = ..., instrument: _Optional[str] = ..., strategy: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListOrdersResponse(_message.Message):
    __slots__ = ("orders", "next_page_token")
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    next_page_token: str
    def __init__(self, orders: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExplainOrderRequest(_message.Message):
    __slots__ = ("account", "order")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    account: str
    order: str
    def __init__(self, account: _Optional[str] = ..., order: _Optional[str] = ...) -> None: ...

class Cause(_message.Message):
    __slots__ = ("time", "service", "text", "report", "references")
    TIME_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    REFERENCES_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    service: str
    text: str
    report: _execution_pb2.ExecutionReport
    references: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., service: _Optional[str] = ..., text: _Optional[str] = ..., report: _Optional[_Union[_execution_pb2.ExecutionReport, _Mapping]] = ..., references: _Optional[_Iterable[str]] = ...) -> None: ...

class ExplainOrderResponse(_message.Message):
    __slots__ = ("order", "causes", "missing")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    CAUSES_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    causes: _containers.RepeatedCompositeFieldContainer[Cause]
    missing: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., causes: _Optional[_Iterable[_Union[Cause, _Mapping]]] = ..., missing: _Optional[_Iterable[str]] = ...) -> None: ...

class ListExecutionsRequest(_message.Message):
    __slots__ = ("account", "after_sequence", "page_size")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    account: str
    after_sequence: int
    page_size: int
    def __init__(self, account: _Optional[str] = ..., after_sequence: _Optional[int] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListExecutionsResponse(_message.Message):
    __slots__ = ("reports", "last_sequence")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[_execution_pb2.ExecutionReport]
    last_sequence: int
    def __init__(self, reports: _Optional[_Iterable[_Union[_execution_pb2.ExecutionReport, _Mapping]]] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class StreamExecutionsRequest(_message.Message):
    __slots__ = ("account", "after_sequence", "only_new", "resume_cursor")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ONLY_NEW_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    account: str
    after_sequence: int
    only_new: bool
    resume_cursor: str
    def __init__(self, account: _Optional[str] = ..., after_sequence: _Optional[int] = ..., only_new: _Optional[bool] = ..., resume_cursor: _Optional[str] = ...) -> None: ...

class ExecutionReports(_message.Message):
    __slots__ = ("reports",)
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[_execution_pb2.ExecutionReport]
    def __init__(self, reports: _Optional[_Iterable[_Union[_execution_pb2.ExecutionReport, _Mapping]]] = ...) -> None: ...

class StreamExecutionsResponse(_message.Message):
    __slots__ = ("position", "reports", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    reports: ExecutionReports
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., reports: _Optional[_Union[ExecutionReports, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...
