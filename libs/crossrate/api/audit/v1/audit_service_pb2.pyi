import datetime

from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.audit.v1 import checkpoint_pb2 as _checkpoint_pb2
from crossrate.api.audit.v1 import export_pb2 as _export_pb2
from crossrate.api.audit.v1 import leaf_pb2 as _leaf_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.rpc import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetCheckpointRequest(_message.Message):
    __slots__ = ("size_max",)
    SIZE_MAX_FIELD_NUMBER: _ClassVar[int]
    size_max: int
    def __init__(self, size_max: _Optional[int] = ...) -> None: ...

class GetCheckpointResponse(_message.Message):
    __slots__ = ("checkpoint", "witness", "keys")
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    WITNESS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    checkpoint: _checkpoint_pb2.Checkpoint
    witness: _checkpoint_pb2.Witness
    keys: _containers.RepeatedCompositeFieldContainer[_checkpoint_pb2.VerifierKey]
    def __init__(self, checkpoint: _Optional[_Union[_checkpoint_pb2.Checkpoint, _Mapping]] = ..., witness: _Optional[_Union[_checkpoint_pb2.Witness, _Mapping]] = ..., keys: _Optional[_Iterable[_Union[_checkpoint_pb2.VerifierKey, _Mapping]]] = ...) -> None: ...

class WatchCheckpointsRequest(_message.Message):
    __slots__ = ("resume_cursor", "heartbeat_interval")
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    resume_cursor: str
    heartbeat_interval: _duration_pb2.Duration
    def __init__(self, resume_cursor: _Optional[str] = ..., heartbeat_interval: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class WatchCheckpointsResponse(_message.Message):
    __slots__ = ("position", "checkpoint", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    checkpoint: _checkpoint_pb2.Checkpoint
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., checkpoint: _Optional[_Union[_checkpoint_pb2.Checkpoint, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class GetInclusionProofRequest(_message.Message):
    __slots__ = ("index", "size")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    index: int
    size: int
    def __init__(self, index: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...

class GetInclusionProofResponse(_message.Message):
    __slots__ = ("leaf_hash", "leaf_data", "hashes", "checkpoint")
    LEAF_HASH_FIELD_NUMBER: _ClassVar[int]
    LEAF_DATA_FIELD_NUMBER: _ClassVar[int]
    HASHES_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    leaf_hash: bytes
    leaf_data: bytes
    hashes: _containers.RepeatedScalarFieldContainer[bytes]
    checkpoint: _checkpoint_pb2.Checkpoint
    def __init__(self, leaf_hash: _Optional[bytes] = ..., leaf_data: _Optional[bytes] = ..., hashes: _Optional[_Iterable[bytes]] = ..., checkpoint: _Optional[_Union[_checkpoint_pb2.Checkpoint, _Mapping]] = ...) -> None: ...

class GetConsistencyProofRequest(_message.Message):
    __slots__ = ("old_size", "size")
    OLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    old_size: int
    size: int
    def __init__(self, old_size: _Optional[int] = ..., size: _Optional[int] = ...) -> None: ...

class GetConsistencyProofResponse(_message.Message):
    __slots__ = ("hashes", "size", "root")
    HASHES_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    ROOT_FIELD_NUMBER: _ClassVar[int]
    hashes: _containers.RepeatedScalarFieldContainer[bytes]
    size: int
    root: bytes
    def __init__(self, hashes: _Optional[_Iterable[bytes]] = ..., size: _Optional[int] = ..., root: _Optional[bytes] = ...) -> None: ...

class SearchFactsRequest(_message.Message):
    __slots__ = ("person", "account", "order", "request_id", "type", "service", "start_time", "end_time", "page_size", "page_token")
    PERSON_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    person: str
    account: str
    order: str
    request_id: str
    type: str
    service: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, person: _Optional[str] = ..., account: _Optional[str] = ..., order: _Optional[str] = ..., request_id: _Optional[str] = ..., type: _Optional[str] = ..., service: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class SearchFactsResponse(_message.Message):
    __slots__ = ("facts", "next_page_token")
    FACTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[_leaf_pb2.Fact]
    next_page_token: str
    def __init__(self, facts: _Optional[_Iterable[_Union[_leaf_pb2.Fact, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetFactRequest(_message.Message):
    __slots__ = ("index",)
    INDEX_FIELD_NUMBER: _ClassVar[int]
    index: int
    def __init__(self, index: _Optional[int] = ...) -> None: ...

class GetFactResponse(_message.Message):
    __slots__ = ("fact",)
    FACT_FIELD_NUMBER: _ClassVar[int]
    fact: _leaf_pb2.Fact
    def __init__(self, fact: _Optional[_Union[_leaf_pb2.Fact, _Mapping]] = ...) -> None: ...

class ExportLogRequest(_message.Message):
    __slots__ = ("first_index", "resume_cursor", "without_payloads")
    FIRST_INDEX_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    first_index: int
    resume_cursor: str
    without_payloads: bool
    def __init__(self, first_index: _Optional[int] = ..., resume_cursor: _Optional[str] = ..., without_payloads: _Optional[bool] = ...) -> None: ...

class ExportLogResponse(_message.Message):
    __slots__ = ("position", "header", "batch", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    header: _export_pb2.ExportHeader
    batch: _export_pb2.ExportBatch
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., header: _Optional[_Union[_export_pb2.ExportHeader, _Mapping]] = ..., batch: _Optional[_Union[_export_pb2.ExportBatch, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

class GetAuditStatusRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ConsumedStream(_message.Message):
    __slots__ = ("stream", "position", "last")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    stream: str
    position: int
    last: int
    def __init__(self, stream: _Optional[str] = ..., position: _Optional[int] = ..., last: _Optional[int] = ...) -> None: ...

class GetAuditStatusResponse(_message.Message):
    __slots__ = ("origin", "size", "checkpoint", "witness", "alarms", "streams", "missing", "error")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    WITNESS_FIELD_NUMBER: _ClassVar[int]
    ALARMS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    origin: str
    size: int
    checkpoint: _checkpoint_pb2.Checkpoint
    witness: _checkpoint_pb2.Witness
    alarms: _containers.RepeatedScalarFieldContainer[str]
    streams: _containers.RepeatedCompositeFieldContainer[ConsumedStream]
    missing: int
    error: str
    def __init__(self, origin: _Optional[str] = ..., size: _Optional[int] = ..., checkpoint: _Optional[_Union[_checkpoint_pb2.Checkpoint, _Mapping]] = ..., witness: _Optional[_Union[_checkpoint_pb2.Witness, _Mapping]] = ..., alarms: _Optional[_Iterable[str]] = ..., streams: _Optional[_Iterable[_Union[ConsumedStream, _Mapping]]] = ..., missing: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class RotateSigningKeyRequest(_message.Message):
    __slots__ = ("request_id", "comment", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    comment: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., comment: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RotateSigningKeyResponse(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: _checkpoint_pb2.VerifierKey
    def __init__(self, key: _Optional[_Union[_checkpoint_pb2.VerifierKey, _Mapping]] = ...) -> None: ...
