import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import gate_pb2 as _gate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import break_gate_pb2 as _break_gate_pb2
from crossrate.api.risk.v1 import dead_man_lease_pb2 as _dead_man_lease_pb2
from crossrate.api.risk.v1 import kill_switch_pb2 as _kill_switch_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EngageRequest(_message.Message):
    __slots__ = ("request_id", "scope", "mode", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    scope: _gate_pb2.KillScope
    mode: _gate_pb2.KillMode
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., scope: _Optional[_Union[_gate_pb2.KillScope, _Mapping]] = ..., mode: _Optional[_Union[_gate_pb2.KillMode, str]] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class EngageResponse(_message.Message):
    __slots__ = ("kill", "applied")
    KILL_FIELD_NUMBER: _ClassVar[int]
    APPLIED_FIELD_NUMBER: _ClassVar[int]
    kill: _kill_switch_pb2.Kill
    applied: bool
    def __init__(self, kill: _Optional[_Union[_kill_switch_pb2.Kill, _Mapping]] = ..., applied: _Optional[bool] = ...) -> None: ...

class ProposeResumeRequest(_message.Message):
    __slots__ = ("request_id", "kill_id", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    KILL_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    kill_id: str
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., kill_id: _Optional[str] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ProposeResumeResponse(_message.Message):
    __slots__ = ("proposal",)
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    proposal: _kill_switch_pb2.ResumeProposal
    def __init__(self, proposal: _Optional[_Union[_kill_switch_pb2.ResumeProposal, _Mapping]] = ...) -> None: ...

class ApproveResumeRequest(_message.Message):
    __slots__ = ("request_id", "proposal_id", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    proposal_id: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., proposal_id: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ApproveResumeResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: _kill_switch_pb2.KillSwitchState
    def __init__(self, state: _Optional[_Union[_kill_switch_pb2.KillSwitchState, _Mapping]] = ...) -> None: ...

class GetStateRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetStateResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: _kill_switch_pb2.KillSwitchState
    def __init__(self, state: _Optional[_Union[_kill_switch_pb2.KillSwitchState, _Mapping]] = ...) -> None: ...

class StreamStateRequest(_message.Message):
    __slots__ = ("resume_cursor", "heartbeat_interval")
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    resume_cursor: str
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, resume_cursor: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class StreamStateResponse(_message.Message):
    __slots__ = ("position", "state", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    state: _kill_switch_pb2.KillSwitchState
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., state: _Optional[_Union[_kill_switch_pb2.KillSwitchState, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class GetCertificateRequest(_message.Message):
    __slots__ = ("certificate_id",)
    CERTIFICATE_ID_FIELD_NUMBER: _ClassVar[int]
    certificate_id: str
    def __init__(self, certificate_id: _Optional[str] = ...) -> None: ...

class GetCertificateResponse(_message.Message):
    __slots__ = ("certificate",)
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    certificate: _kill_switch_pb2.KillCertificate
    def __init__(self, certificate: _Optional[_Union[_kill_switch_pb2.KillCertificate, _Mapping]] = ...) -> None: ...

class ListCertificatesRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListCertificatesResponse(_message.Message):
    __slots__ = ("certificates", "next_page_token")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    certificates: _containers.RepeatedCompositeFieldContainer[_kill_switch_pb2.KillCertificate]
    next_page_token: str
    def __init__(self, certificates: _Optional[_Iterable[_Union[_kill_switch_pb2.KillCertificate, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...
