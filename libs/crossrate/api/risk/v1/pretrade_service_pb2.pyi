from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import check_pb2 as _check_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.trading.v1 import account_state_pb2 as _account_state_pb2
from crossrate.api.trading.v1 import execution_pb2 as _execution_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccountReports(_message.Message):
    __slots__ = ("account", "reports", "state", "last_sequence")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    account: str
    reports: _containers.RepeatedCompositeFieldContainer[_execution_pb2.ExecutionReport]
    state: _account_state_pb2.AccountState
    last_sequence: int
    def __init__(self, account: _Optional[str] = ..., reports: _Optional[_Iterable[_Union[_execution_pb2.ExecutionReport, _Mapping]]] = ..., state: _Optional[_Union[_account_state_pb2.AccountState, _Mapping]] = ..., last_sequence: _Optional[int] = ...) -> None: ...

class OrderToAuthorise(_message.Message):
    __slots__ = ("order", "amends")
    ORDER_FIELD_NUMBER: _ClassVar[int]
    AMENDS_FIELD_NUMBER: _ClassVar[int]
    order: _order_pb2.Order
    amends: bool
    def __init__(self, order: _Optional[_Union[_order_pb2.Order, _Mapping]] = ..., amends: _Optional[bool] = ...) -> None: ...

class AuthoriseRequest(_message.Message):
    __slots__ = ("request_id", "writer", "number", "accounts", "pending_order_ids", "orders", "groups", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    PENDING_ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    GROUPS_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    writer: str
    number: int
    accounts: _containers.RepeatedCompositeFieldContainer[AccountReports]
    pending_order_ids: _containers.RepeatedScalarFieldContainer[str]
    orders: _containers.RepeatedCompositeFieldContainer[OrderToAuthorise]
    groups: _containers.RepeatedScalarFieldContainer[int]
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., writer: _Optional[str] = ..., number: _Optional[int] = ..., accounts: _Optional[_Iterable[_Union[AccountReports, _Mapping]]] = ..., pending_order_ids: _Optional[_Iterable[str]] = ..., orders: _Optional[_Iterable[_Union[OrderToAuthorise, _Mapping]]] = ..., groups: _Optional[_Iterable[int]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class Authorisation(_message.Message):
    __slots__ = ("authorised", "checks", "quote_seen", "margin_currency", "equity", "margin_before", "margin_after", "margin_free", "first_limit")
    AUTHORISED_FIELD_NUMBER: _ClassVar[int]
    CHECKS_FIELD_NUMBER: _ClassVar[int]
    QUOTE_SEEN_FIELD_NUMBER: _ClassVar[int]
    MARGIN_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    EQUITY_FIELD_NUMBER: _ClassVar[int]
    MARGIN_BEFORE_FIELD_NUMBER: _ClassVar[int]
    MARGIN_AFTER_FIELD_NUMBER: _ClassVar[int]
    MARGIN_FREE_FIELD_NUMBER: _ClassVar[int]
    FIRST_LIMIT_FIELD_NUMBER: _ClassVar[int]
    authorised: bool
    checks: _containers.RepeatedCompositeFieldContainer[_check_pb2.Check]
    quote_seen: _execution_pb2.QuoteSeen
    margin_currency: str
    equity: str
    margin_before: str
    margin_after: str
    margin_free: str
    first_limit: int
    def __init__(self, authorised: _Optional[bool] = ..., checks: _Optional[_Iterable[_Union[_check_pb2.Check, _Mapping]]] = ..., quote_seen: _Optional[_Union[_execution_pb2.QuoteSeen, _Mapping]] = ..., margin_currency: _Optional[str] = ..., equity: _Optional[str] = ..., margin_before: _Optional[str] = ..., margin_after: _Optional[str] = ..., margin_free: _Optional[str] = ..., first_limit: _Optional[int] = ...) -> None: ...

class AuthoriseResponse(_message.Message):
    __slots__ = ("authorisations", "missing_accounts", "gate_version")
    AUTHORISATIONS_FIELD_NUMBER: _ClassVar[int]
    MISSING_ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    GATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    authorisations: _containers.RepeatedCompositeFieldContainer[Authorisation]
    missing_accounts: _containers.RepeatedScalarFieldContainer[str]
    gate_version: int
    def __init__(self, authorisations: _Optional[_Iterable[_Union[Authorisation, _Mapping]]] = ..., missing_accounts: _Optional[_Iterable[str]] = ..., gate_version: _Optional[int] = ...) -> None: ...

class ReportRequest(_message.Message):
    __slots__ = ("request_id", "writer", "number", "accounts", "pending_order_ids")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    WRITER_FIELD_NUMBER: _ClassVar[int]
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    PENDING_ORDER_IDS_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    writer: str
    number: int
    accounts: _containers.RepeatedCompositeFieldContainer[AccountReports]
    pending_order_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, request_id: _Optional[str] = ..., writer: _Optional[str] = ..., number: _Optional[int] = ..., accounts: _Optional[_Iterable[_Union[AccountReports, _Mapping]]] = ..., pending_order_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class ReportResponse(_message.Message):
    __slots__ = ("missing_accounts",)
    MISSING_ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    missing_accounts: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, missing_accounts: _Optional[_Iterable[str]] = ...) -> None: ...
