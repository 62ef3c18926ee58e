import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from crossrate.api.trading.v1 import order_entry_pb2 as _order_entry_pb2
from crossrate.api.trading.v1 import order_history_pb2 as _order_history_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SessionLogon(_message.Message):
    __slots__ = ("account", "session", "after_sequence", "cancel_on_disconnect", "heartbeat_interval")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    AFTER_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    CANCEL_ON_DISCONNECT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    account: str
    session: str
    after_sequence: int
    cancel_on_disconnect: bool
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, account: _Optional[str] = ..., session: _Optional[str] = ..., after_sequence: _Optional[int] = ..., cancel_on_disconnect: _Optional[bool] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class SessionOrders(_message.Message):
    __slots__ = ("orders",)
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.NewOrder]
    def __init__(self, orders: _Optional[_Iterable[_Union[_order_pb2.NewOrder, _Mapping]]] = ...) -> None: ...

class SessionLogout(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...

class TradeSessionRequest(_message.Message):
    __slots__ = ("number", "logon", "orders", "amend", "cancel", "cancel_all", "heartbeat", "logout")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    LOGON_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    AMEND_FIELD_NUMBER: _ClassVar[int]
    CANCEL_FIELD_NUMBER: _ClassVar[int]
    CANCEL_ALL_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    LOGOUT_FIELD_NUMBER: _ClassVar[int]
    number: int
    logon: SessionLogon
    orders: SessionOrders
    amend: _order_entry_pb2.AmendOrderRequest
    cancel: _order_entry_pb2.CancelOrderRequest
    cancel_all: _order_entry_pb2.CancelAllRequest
    heartbeat: _stream_pb2.Heartbeat
    logout: SessionLogout
    def __init__(self, number: _Optional[int] = ..., logon: _Optional[_Union[SessionLogon, _Mapping]] = ..., orders: _Optional[_Union[SessionOrders, _Mapping]] = ..., amend: _Optional[_Union[_order_entry_pb2.AmendOrderRequest, _Mapping]] = ..., cancel: _Optional[_Union[_order_entry_pb2.CancelOrderRequest, _Mapping]] = ..., cancel_all: _Optional[_Union[_order_entry_pb2.CancelAllRequest, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., logout: _Optional[_Union[SessionLogout, _Mapping]] = ...) -> None: ...

class SessionOpened(_message.Message):
    __slots__ = ("last_sequence", "instance")
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    last_sequence: int
    instance: str
    def __init__(self, last_sequence: _Optional[int] = ..., instance: _Optional[str] = ...) -> None: ...

class SessionResult(_message.Message):
    __slots__ = ("client_order_id", "status", "order_id", "sequence", "error")
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    client_order_id: str
    status: _order_pb2.OrderStatus
    order_id: str
    sequence: int
    error: _status_pb2.Status
    def __init__(self, client_order_id: _Optional[str] = ..., status: _Optional[_Union[_order_pb2.OrderStatus, str]] = ..., order_id: _Optional[str] = ..., sequence: _Optional[int] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ...) -> None: ...

class SessionAnswer(_message.Message):
    __slots__ = ("number", "status", "results")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    number: int
    status: _status_pb2.Status
    results: _containers.RepeatedCompositeFieldContainer[SessionResult]
    def __init__(self, number: _Optional[int] = ..., status: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., results: _Optional[_Iterable[_Union[SessionResult, _Mapping]]] = ...) -> None: ...

class TradeSessionResponse(_message.Message):
    __slots__ = ("position", "opened", "answer", "reports", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    opened: SessionOpened
    answer: SessionAnswer
    reports: _order_history_pb2.ExecutionReports
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., opened: _Optional[_Union[SessionOpened, _Mapping]] = ..., answer: _Optional[_Union[SessionAnswer, _Mapping]] = ..., reports: _Optional[_Union[_order_history_pb2.ExecutionReports, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...
