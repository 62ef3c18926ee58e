from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import gate_pb2 as _gate_pb2
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

class ListFillsRequest(_message.Message):
    __slots__ = ("venue", "venue_exec_ids")
    VENUE_FIELD_NUMBER: _ClassVar[int]
    VENUE_EXEC_IDS_FIELD_NUMBER: _ClassVar[int]
    venue: str
    venue_exec_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, venue: _Optional[str] = ..., venue_exec_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class AppliedFill(_message.Message):
    __slots__ = ("venue_exec_id", "account", "order_id", "fill", "withdrawn")
    VENUE_EXEC_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    FILL_FIELD_NUMBER: _ClassVar[int]
    WITHDRAWN_FIELD_NUMBER: _ClassVar[int]
    venue_exec_id: str
    account: str
    order_id: str
    fill: _execution_pb2.Fill
    withdrawn: bool
    def __init__(self, venue_exec_id: _Optional[str] = ..., account: _Optional[str] = ..., order_id: _Optional[str] = ..., fill: _Optional[_Union[_execution_pb2.Fill, _Mapping]] = ..., withdrawn: _Optional[bool] = ...) -> None: ...

class ListFillsResponse(_message.Message):
    __slots__ = ("fills",)
    FILLS_FIELD_NUMBER: _ClassVar[int]
    fills: _containers.RepeatedCompositeFieldContainer[AppliedFill]
    def __init__(self, fills: _Optional[_Iterable[_Union[AppliedFill, _Mapping]]] = ...) -> None: ...

class TakeAccountRequest(_message.Message):
    __slots__ = ("request_id", "account")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ...) -> None: ...

class TakeAccountResponse(_message.Message):
    __slots__ = ("venue_sequence",)
    VENUE_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    venue_sequence: int
    def __init__(self, venue_sequence: _Optional[int] = ...) -> None: ...

class ListAccountStatesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAccountStatesResponse(_message.Message):
    __slots__ = ("states", "next_page_token", "gate_version")
    STATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    GATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    states: _containers.RepeatedCompositeFieldContainer[_account_state_pb2.AccountState]
    next_page_token: str
    gate_version: int
    def __init__(self, states: _Optional[_Iterable[_Union[_account_state_pb2.AccountState, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., gate_version: _Optional[int] = ...) -> None: ...

class ApplyGateRequest(_message.Message):
    __slots__ = ("request_id", "gate")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    GATE_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    gate: _gate_pb2.Gate
    def __init__(self, request_id: _Optional[str] = ..., gate: _Optional[_Union[_gate_pb2.Gate, _Mapping]] = ...) -> None: ...

class ApplyGateResponse(_message.Message):
    __slots__ = ("version", "working")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WORKING_FIELD_NUMBER: _ClassVar[int]
    version: int
    working: _containers.RepeatedCompositeFieldContainer[_order_pb2.Order]
    def __init__(self, version: _Optional[int] = ..., working: _Optional[_Iterable[_Union[_order_pb2.Order, _Mapping]]] = ...) -> None: ...
