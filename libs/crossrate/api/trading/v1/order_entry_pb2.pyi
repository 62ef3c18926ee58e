import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import check_pb2 as _check_pb2
from crossrate.api.trading.v1 import execution_pb2 as _execution_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PlaceOrderRequest(_message.Message):
    __slots__ = ("request_id", "order", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    order: _order_pb2.NewOrder
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., order: _Optional[_Union[_order_pb2.NewOrder, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class MarginAfter(_message.Message):
    __slots__ = ("currency", "equity", "used_before", "used_after", "free_after")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    USED_BEFORE_FIELD_NUMBER: _ClassVar[int]
    USED_AFTER_FIELD_NUMBER: _ClassVar[int]
    FREE_AFTER_FIELD_NUMBER: _ClassVar[int]
    currency: str
    equity: str
    used_before: str
    used_after: str
    free_after: str
    def __init__(self, currency: _Optional[str] = ..., equity: _Optional[str] = ..., used_before: _Optional[str] = ..., used_after: _Optional[str] = ..., free_after: _Optional[str] = ...) -> None: ...

class PlaceOrderResponse(_message.Message):
    __slots__ = ("order", "checks", "quote_seen", "margin", "first_limit")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    QUOTE_SEEN_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    FIRST_LIMIT_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    checks: _containers.RepeatedCompositeFieldContainer[_check_pb2.Check]
    quote_seen: _execution_pb2.QuoteSeen
    margin: MarginAfter
    first_limit: int
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[_check_pb2.Check, _Mapping]]] = ..., quote_seen: _Optional[_Union[_execution_pb2.QuoteSeen, _Mapping]] = ..., margin: _Optional[_Union[MarginAfter, _Mapping]] = ..., first_limit: _Optional[int] = ...) -> None: ...

class PlaceOrdersRequest(_message.Message):
    __slots__ = ("request_id", "account", "orders", "atomic", "contingency", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    ATOMIC_FIELD_NUMBER: _ClassVar[int]
    CONTINGENCY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.NewOrder]
    atomic: bool
    contingency: _order_pb2.ContingencyType
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., orders: _Optional[_Iterable[_Union[_order_pb2.NewOrder, _Mapping]]] = ..., atomic: _Optional[bool] = ..., contingency: _Optional[_Union[_order_pb2.ContingencyType, str]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class PlaceOrdersResponse(_message.Message):
    __slots__ = ("results", "list_id")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    LIST_ID_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[PlaceOrderResponse]
    list_id: str
    def __init__(self, results: _Optional[_Iterable[_Union[PlaceOrderResponse, _Mapping]]] = ..., list_id: _Optional[str] = ...) -> None: ...

class AmendOrderRequest(_message.Message):
    __slots__ = ("request_id", "account", "client_order_id", "quantity", "limit_price", "stop_price", "trailing_distance", "expire_time", "expected_version", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    LIMIT_PRICE_FIELD_NUMBER: _ClassVar[int]
    STOP_PRICE_FIELD_NUMBER: _ClassVar[int]
    TRAILING_DISTANCE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    client_order_id: str
    quantity: str
    limit_price: str
    stop_price: str
    trailing_distance: str
    expire_time: _timestamp_pb2.Timestamp
    expected_version: int
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., client_order_id: _Optional[str] = ..., quantity: _Optional[str] = ..., limit_price: _Optional[str] = ..., stop_price: _Optional[str] = ..., trailing_distance: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expected_version: _Optional[int] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AmendOrderResponse(_message.Message):
    __slots__ = ("order", "checks", "margin", "first_limit", "quote_seen")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FIELD_NUMBER: _ClassVar[int]
    FIRST_LIMIT_FIELD_NUMBER: _ClassVar[int]
    QUOTE_SEEN_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    checks: _containers.RepeatedCompositeFieldContainer[_check_pb2.Check]
    margin: MarginAfter
    first_limit: int
    quote_seen: _execution_pb2.QuoteSeen
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., checks: _Optional[_Iterable[_Union[_check_pb2.Check, _Mapping]]] = ..., margin: _Optional[_Union[MarginAfter, _Mapping]] = ..., first_limit: _Optional[int] = ..., quote_seen: _Optional[_Union[_execution_pb2.QuoteSeen, _Mapping]] = ...) -> None: ...

class CancelOrderRequest(_message.Message):
    __slots__ = ("request_id", "account", "client_order_id", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    client_order_id: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., client_order_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CancelOrderResponse(_message.Message):
    __slots__ = ("order",)
    ORDER_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ...) -> None: ...

class CancelAllRequest(_message.Message):
    __slots__ = ("request_id", "account", "instrument", "side", "strategy", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    STRATEGY_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    instrument: str
    side: _order_pb2.Side
    strategy: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., instrument: _Optional[str] = ..., side: _Optional[_Union[_order_pb2.Side, str]] = ..., strategy: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class CancelAllResponse(_message.Message):
    __slots__ = ("orders",)
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    orders: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    def __init__(self, orders: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ...) -> None: ...
