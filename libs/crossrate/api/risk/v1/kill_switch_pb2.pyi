import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import gate_pb2 as _gate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import break_gate_pb2 as _break_gate_pb2
from crossrate.api.risk.v1 import dead_man_lease_pb2 as _dead_man_lease_pb2
from crossrate.api.trading.v1 import order_pb2 as _order_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Kill(_message.Message):
    __slots__ = ("kill_id", "scope", "mode", "engaged_by", "comment", "engage_time", "gate_version", "certificate_id")
    KILL_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    ENGAGED_BY_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    ENGAGE_TIME_FIELD_NUMBER: _ClassVar[int]
    GATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_ID_FIELD_NUMBER: _ClassVar[int]
    kill_id: str
    scope: _gate_pb2.KillScope
    mode: _gate_pb2.KillMode
    engaged_by: str
    comment: str
    engage_time: _timestamp_pb2.Timestamp
    gate_version: int
    certificate_id: str
    def __init__(self, kill_id: _Optional[str] = ..., scope: _Optional[_Union[_gate_pb2.KillScope, _Mapping]] = ..., mode: _Optional[_Union[_gate_pb2.KillMode, str]] = ..., engaged_by: _Optional[str] = ..., comment: _Optional[str] = ..., engage_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., gate_version: _Optional[int] = ..., certificate_id: _Optional[str] = ...) -> None: ...

class ResumeProposal(_message.Message):
    __slots__ = ("proposal_id", "kill_id", "proposed_by", "comment", "create_time")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    KILL_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    proposal_id: str
    kill_id: str
    proposed_by: str
    comment: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, proposal_id: _Optional[str] = ..., kill_id: _Optional[str] = ..., proposed_by: _Optional[str] = ..., comment: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class KillSwitchState(_message.Message):
    __slots__ = ("gate_version", "applied_version", "kills", "proposals", "leases", "break_gates")
    GATE_VERSION_FIELD_NUMBER: _ClassVar[int]
    APPLIED_VERSION_FIELD_NUMBER: _ClassVar[int]
    KILLS_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    LEASES_FIELD_NUMBER: _ClassVar[int]
    BREAK_GATES_FIELD_NUMBER: _ClassVar[int]
    gate_version: int
    applied_version: int
    kills: _containers.RepeatedCompositeFieldContainer[Kill]
    proposals: _containers.RepeatedCompositeFieldContainer[ResumeProposal]
    leases: _containers.RepeatedCompositeFieldContainer[_dead_man_lease_pb2.DeadManLease]
    break_gates: _containers.RepeatedCompositeFieldContainer[_break_gate_pb2.BreakGate]
    def __init__(self, gate_version: _Optional[int] = ..., applied_version: _Optional[int] = ..., kills: _Optional[_Iterable[_Union[Kill, _Mapping]]] = ..., proposals: _Optional[_Iterable[_Union[ResumeProposal, _Mapping]]] = ..., leases: _Optional[_Iterable[_Union[_dead_man_lease_pb2.DeadManLease, _Mapping]]] = ..., break_gates: _Optional[_Iterable[_Union[_break_gate_pb2.BreakGate, _Mapping]]] = ...) -> None: ...

class CertifiedOrder(_message.Message):
    __slots__ = ("account", "order_id", "client_order_id", "instrument", "status_at_commit", "must_end", "final_status", "final_time", "cum_quantity")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    STATUS_AT_COMMIT_FIELD_NUMBER: _ClassVar[int]
    MUST_END_FIELD_NUMBER: _ClassVar[int]
    FINAL_STATUS_FIELD_NUMBER: _ClassVar[int]
    FINAL_TIME_FIELD_NUMBER: _ClassVar[int]
    CUM_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    account: str
    order_id: str
    client_order_id: str
    instrument: str
    status_at_commit: _order_pb2.OrderStatus
    must_end: bool
    final_status: _order_pb2.OrderStatus
    final_time: _timestamp_pb2.Timestamp
    cum_quantity: str
    def __init__(self, account: _Optional[str] = ..., order_id: _Optional[str] = ..., client_order_id: _Optional[str] = ..., instrument: _Optional[str] = ..., status_at_commit: _Optional[_Union[_order_pb2.OrderStatus, str]] = ..., must_end: _Optional[bool] = ..., final_status: _Optional[_Union[_order_pb2.OrderStatus, str]] = ..., final_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., cum_quantity: _Optional[str] = ...) -> None: ...

class FlattenStep(_message.Message):
    __slots__ = ("account", "instrument", "client_order_id", "quantity", "price_bound", "outcome", "time", "position_id")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    CLIENT_ORDER_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_BOUND_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    account: str
    instrument: str
    client_order_id: str
    quantity: str
    price_bound: str
    outcome: str
    time: _timestamp_pb2.Timestamp
    position_id: str
    def __init__(self, account: _Optional[str] = ..., instrument: _Optional[str] = ..., client_order_id: _Optional[str] = ..., quantity: _Optional[str] = ..., price_bound: _Optional[str] = ..., outcome: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., position_id: _Optional[str] = ...) -> None: ...

class KillCertificate(_message.Message):
    __slots__ = ("certificate_id", "kill", "commit_time", "orders", "unconfirmed_count", "steps", "open_positions", "complete_time")
    CERTIFICATE_ID_FIELD_NUMBER: _ClassVar[int]
    KILL_FIELD_NUMBER: _ClassVar[int]
    COMMIT_TIME_FIELD_NUMBER: _ClassVar[int]
    ORDERS_FIELD_NUMBER: _ClassVar[int]
    UNCONFIRMED_COUNT_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    OPEN_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_TIME_FIELD_NUMBER: _ClassVar[int]
    certificate_id: str
    kill: Kill
    commit_time: _timestamp_pb2.Timestamp
    orders: _containers.RepeatedCompositeFieldContainer[CertifiedOrder]
    unconfirmed_count: int
    steps: _containers.RepeatedCompositeFieldContainer[FlattenStep]
    open_positions: _containers.RepeatedScalarFieldContainer[str]
    complete_time: _timestamp_pb2.Timestamp
    def __init__(self, certificate_id: _Optional[str] = ..., kill: _Optional[_Union[Kill, _Mapping]] = ..., commit_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., orders: _Optional[_Iterable[_Union[CertifiedOrder, _Mapping]]] = ..., unconfirmed_count: _Optional[int] = ..., steps: _Optional[_Iterable[_Union[FlattenStep, _Mapping]]] = ..., open_positions: _Optional[_Iterable[str]] = ..., complete_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
