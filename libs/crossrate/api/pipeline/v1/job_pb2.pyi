import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class JobState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    JOB_STATE_UNSPECIFIED: _ClassVar[JobState]
    JOB_STATE_QUEUED: _ClassVar[JobState]
    JOB_STATE_RUNNING: _ClassVar[JobState]
    JOB_STATE_SUCCEEDED: _ClassVar[JobState]
    JOB_STATE_INCOMPLETE: _ClassVar[JobState]
    JOB_STATE_FAILED: _ClassVar[JobState]
    JOB_STATE_CANCELLED: _ClassVar[JobState]

class FileState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FILE_STATE_UNSPECIFIED: _ClassVar[FileState]
    FILE_STATE_PENDING: _ClassVar[FileState]
    FILE_STATE_LOADED: _ClassVar[FileState]
    FILE_STATE_UNCHANGED: _ClassVar[FileState]
    FILE_STATE_QUARANTINED: _ClassVar[FileState]
    FILE_STATE_FAILED: _ClassVar[FileState]
    FILE_STATE_CHECKED: _ClassVar[FileState]
JOB_STATE_UNSPECIFIED: JobState
JOB_STATE_QUEUED: JobState
JOB_STATE_RUNNING: JobState
JOB_STATE_SUCCEEDED: JobState
JOB_STATE_INCOMPLETE: JobState
JOB_STATE_FAILED: JobState
JOB_STATE_CANCELLED: JobState
FILE_STATE_UNSPECIFIED: FileState
FILE_STATE_PENDING: FileState
FILE_STATE_LOADED: FileState
FILE_STATE_UNCHANGED: FileState
FILE_STATE_QUARANTINED: FileState
FILE_STATE_FAILED: FileState
FILE_STATE_CHECKED: FileState

class Progress(_message.Message):
    __slots__ = ("files_total", "files_done", "files_loaded", "files_unchanged", "files_quarantined", "files_failed", "rows_read", "rows_loaded", "rows_rejected", "bytes_total", "bytes_done", "rows_per_s", "remaining", "current_file")
    FILES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    FILES_DONE_FIELD_NUMBER: _ClassVar[int]
    FILES_LOADED_FIELD_NUMBER: _ClassVar[int]
    FILES_UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    FILES_QUARANTINED_FIELD_NUMBER: _ClassVar[int]
    FILES_FAILED_FIELD_NUMBER: _ClassVar[int]
    ROWS_READ_FIELD_NUMBER: _ClassVar[int]
    ROWS_LOADED_FIELD_NUMBER: _ClassVar[int]
    ROWS_REJECTED_FIELD_NUMBER: _ClassVar[int]
    BYTES_TOTAL_FIELD_NUMBER: _ClassVar[int]
    BYTES_DONE_FIELD_NUMBER: _ClassVar[int]
    ROWS_PER_S_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    CURRENT_FILE_FIELD_NUMBER: _ClassVar[int]
    files_total: int
    files_done: int
    files_loaded: int
    files_unchanged: int
    files_quarantined: int
    files_failed: int
    rows_read: int
    rows_loaded: int
    rows_rejected: int
    bytes_total: int
    bytes_done: int
    rows_per_s: float
    remaining: _duration_pb2.Duration
    current_file: str
    def __init__(self, files_total: _Optional[int] = ..., files_done: _Optional[int] = ..., files_loaded: _Optional[int] = ..., files_unchanged: _Optional[int] = ..., files_quarantined: _Optional[int] = ..., files_failed: _Optional[int] = ..., rows_read: _Optional[int] = ..., rows_loaded: _Optional[int] = ..., rows_rejected: _Optional[int] = ..., bytes_total: _Optional[int] = ..., bytes_done: _Optional[int] = ..., rows_per_s: _Optional[float] = ..., remaining: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., current_file: _Optional[str] = ...) -> None: ...

class Job(_message.Message):
    __slots__ = ("id", "name", "dataset", "venue", "state", "dry_run", "specification", "specification_digest", "progress", "error", "create_time", "start_time", "end_time", "attempts")
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    DATASET_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    id: str
    name: str
    dataset: str
    venue: str
    state: JobState
    dry_run: bool
    specification: str
    specification_digest: str
    progress: Progress
    error: str
    create_time: _timestamp_pb2.Timestamp
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    attempts: int
    def __init__(self, id: _Optional[str] = ..., name: _Optional[str] = ..., dataset: _Optional[str] = ..., venue: _Optional[str] = ..., state: _Optional[_Union[JobState, str]] = ..., dry_run: _Optional[bool] = ..., specification: _Optional[str] = ..., specification_digest: _Optional[str] = ..., progress: _Optional[_Union[Progress, _Mapping]] = ..., error: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., attempts: _Optional[int] = ...) -> None: ...

class JobFile(_message.Message):
    __slots__ = ("ordinal", "uri", "size_bytes", "state", "digest", "lines", "rows", "rejected", "message", "resumed_rows")
    ORDINAL_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    RESUMED_ROWS_FIELD_NUMBER: _ClassVar[int]
    ordinal: int
    uri: str
    size_bytes: int
    state: FileState
    digest: str
    lines: int
    rows: int
    rejected: int
    message: str
    resumed_rows: int
    def __init__(self, ordinal: _Optional[int] = ..., uri: _Optional[str] = ..., size_bytes: _Optional[int] = ..., state: _Optional[_Union[FileState, str]] = ..., digest: _Optional[str] = ..., lines: _Optional[int] = ..., rows: _Optional[int] = ..., rejected: _Optional[int] = ..., message: _Optional[str] = ..., resumed_rows: _Optional[int] = ...) -> None: ...
