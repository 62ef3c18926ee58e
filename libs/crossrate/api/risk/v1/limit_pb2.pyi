import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import check_pb2 as _check_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class InstrumentUse(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    INSTRUMENT_USE_UNSPECIFIED: _ClassVar[InstrumentUse]
    INSTRUMENT_USE_CLOSE_ONLY: _ClassVar[InstrumentUse]
    INSTRUMENT_USE_RESTRICTED: _ClassVar[InstrumentUse]

class LimitProposalState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LIMIT_PROPOSAL_STATE_UNSPECIFIED: _ClassVar[LimitProposalState]
    LIMIT_PROPOSAL_STATE_PENDING: _ClassVar[LimitProposalState]
    LIMIT_PROPOSAL_STATE_APPROVED: _ClassVar[LimitProposalState]
    LIMIT_PROPOSAL_STATE_WITHDRAWN: _ClassVar[LimitProposalState]
INSTRUMENT_USE_UNSPECIFIED: InstrumentUse
INSTRUMENT_USE_CLOSE_ONLY: InstrumentUse
INSTRUMENT_USE_RESTRICTED: InstrumentUse
LIMIT_PROPOSAL_STATE_UNSPECIFIED: LimitProposalState
LIMIT_PROPOSAL_STATE_PENDING: LimitProposalState
LIMIT_PROPOSAL_STATE_APPROVED: LimitProposalState
LIMIT_PROPOSAL_STATE_WITHDRAWN: LimitProposalState

class Limit(_message.Message):
    __slots__ = ("scope", "kind", "instrument", "value", "unit", "window", "floor", "use")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    FLOOR_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    scope: str
    kind: _check_pb2.CheckKind
    instrument: str
    value: str
    unit: str
    window: _duration_pb2.Duration
    floor: str
    use: InstrumentUse
    def __init__(self, scope: _Optional[str] = ..., kind: _Optional[_Union[_check_pb2.CheckKind, str]] = ..., instrument: _Optional[str] = ..., value: _Optional[str] = ..., unit: _Optional[str] = ..., window: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., floor: _Optional[str] = ..., use: _Optional[_Union[InstrumentUse, str]] = ...) -> None: ...

class LimitKey(_message.Message):
    __slots__ = ("scope", "kind", "instrument")
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    scope: str
    kind: _check_pb2.CheckKind
    instrument: str
    def __init__(self, scope: _Optional[str] = ..., kind: _Optional[_Union[_check_pb2.CheckKind, str]] = ..., instrument: _Optional[str] = ...) -> None: ...

class LimitSet(_message.Message):
    __slots__ = ("version", "limits", "proposed_by", "approved_by", "comment", "create_time")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    version: int
    limits: _containers.RepeatedCompositeFieldContainer[Limit]
    proposed_by: str
    approved_by: str
    comment: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[int] = ..., limits: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ..., proposed_by: _Optional[str] = ..., approved_by: _Optional[str] = ..., comment: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LimitProposal(_message.Message):
    __slots__ = ("proposal_id", "put", "remove", "base_version", "state", "proposed_by", "decided_by", "comment", "create_time", "decide_time")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    PUT_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    BASE_VERSION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_BY_FIELD_NUMBER: _ClassVar[int]
    DECIDED_BY_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECIDE_TIME_FIELD_NUMBER: _ClassVar[int]
    proposal_id: str
    put: _containers.RepeatedCompositeFieldContainer[Limit]
    remove: _containers.RepeatedCompositeFieldContainer[LimitKey]
    base_version: int
    state: LimitProposalState
    proposed_by: str
    decided_by: str
    comment: str
    create_time: _timestamp_pb2.Timestamp
    decide_time: _timestamp_pb2.Timestamp
    def __init__(self, proposal_id: _Optional[str] = ..., put: _Optional[_Iterable[_Union[Limit, _Mapping]]] = ..., remove: _Optional[_Iterable[_Union[LimitKey, _Mapping]]] = ..., base_version: _Optional[int] = ..., state: _Optional[_Union[LimitProposalState, str]] = ..., proposed_by: _Optional[str] = ..., decided_by: _Optional[str] = ..., comment: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decide_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class LimitUsage(_message.Message):
    __slots__ = ("limit", "scope", "name", "value", "headroom", "breached")
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    HEADROOM_FIELD_NUMBER: _ClassVar[int]
    BREACHED_FIELD_NUMBER: _ClassVar[int]
    limit: Limit
    scope: str
    name: str
    value: str
    headroom: str
    breached: bool
    def __init__(self, limit: _Optional[_Union[Limit, _Mapping]] = ..., scope: _Optional[str] = ..., name: _Optional[str] = ..., value: _Optional[str] = ..., headroom: _Optional[str] = ..., breached: _Optional[bool] = ...) -> None: ...
