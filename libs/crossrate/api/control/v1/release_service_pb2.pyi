from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.control.v1 import release_pb2 as _release_pb2
from crossrate.api.control.v1 import shadow_pb2 as _shadow_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StartReleaseRequest(_message.Message):
    __slots__ = ("request_id", "name", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    name: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., name: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class StartReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ...) -> None: ...

class GetReleaseRequest(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: str
    def __init__(self, release: _Optional[str] = ...) -> None: ...

class GetReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ...) -> None: ...

class GetShadowReportRequest(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: str
    def __init__(self, release: _Optional[str] = ...) -> None: ...

class GetShadowReportResponse(_message.Message):
    __slots__ = ("report",)
    REPORT_FIELD_NUMBER: _ClassVar[int]
    report: _shadow_pb2.ShadowReport
    def __init__(self, report: _Optional[_Union[_shadow_pb2.ShadowReport, _Mapping]] = ...) -> None: ...

class WatchReleaseRequest(_message.Message):
    __slots__ = ("release", "resume_cursor")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    release: str
    resume_cursor: str
    def __init__(self, release: _Optional[str] = ..., resume_cursor: _Optional[str] = ...) -> None: ...

class WatchReleaseResponse(_message.Message):
    __slots__ = ("release", "windows", "position", "decided", "error", "end")
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    WINDOWS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DECIDED_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    windows: _containers.RepeatedCompositeFieldContainer[_release_pb2.ReleaseWindow]
    position: _stream_pb2.StreamPosition
    decided: _containers.RepeatedCompositeFieldContainer[_release_pb2.ReleaseDecision]
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ..., windows: _Optional[_Iterable[_Union[_release_pb2.ReleaseWindow, _Mapping]]] = ..., position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., decided: _Optional[_Iterable[_Union[_release_pb2.ReleaseDecision, _Mapping]]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class GetReleaseReportRequest(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: str
    def __init__(self, release: _Optional[str] = ...) -> None: ...

class GetReleaseReportResponse(_message.Message):
    __slots__ = ("file", "key")
    FILE_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    file: str
    key: str
    def __init__(self, file: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class ListReleasesRequest(_message.Message):
    __slots__ = ("service", "page_size")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    service: str
    page_size: int
    def __init__(self, service: _Optional[str] = ..., page_size: _Optional[int] = ...) -> None: ...

class ListReleasesResponse(_message.Message):
    __slots__ = ("releases",)
    RELEASES_FIELD_NUMBER: _ClassVar[int]
    releases: _containers.RepeatedCompositeFieldContainer[_release_pb2.Release]
    def __init__(self, releases: _Optional[_Iterable[_Union[_release_pb2.Release, _Mapping]]] = ...) -> None: ...

class PromoteReleaseRequest(_message.Message):
    __slots__ = ("request_id", "release", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    release: str
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., release: _Optional[str] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class PromoteReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ...) -> None: ...

class PauseReleaseRequest(_message.Message):
    __slots__ = ("request_id", "release", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    release: str
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., release: _Optional[str] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class PauseReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ...) -> None: ...

class ResumeReleaseRequest(_message.Message):
    __slots__ = ("request_id", "release", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    release: str
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., release: _Optional[str] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ResumeReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ...) -> None: ...

class AbortReleaseRequest(_message.Message):
    __slots__ = ("request_id", "release", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    release: str
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., release: _Optional[str] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AbortReleaseResponse(_message.Message):
    __slots__ = ("release",)
    RELEASE_FIELD_NUMBER: _ClassVar[int]
    release: _release_pb2.Release
    def __init__(self, release: _Optional[_Union[_release_pb2.Release, _Mapping]] = ...) -> None: ...
