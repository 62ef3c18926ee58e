import datetime

from crossrate.api.audit.v1 import checkpoint_pb2 as _checkpoint_pb2
from crossrate.api.audit.v1 import leaf_pb2 as _leaf_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ExportHeader(_message.Message):
    __slots__ = ("origin", "first_index", "size", "frontier", "keys", "time", "without_payloads")
    ORIGIN_FIELD_NUMBER: _ClassVar[int]
    FIRST_INDEX_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    FRONTIER_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_PAYLOADS_FIELD_NUMBER: _ClassVar[int]
    origin: str
    first_index: int
    size: int
    frontier: _containers.RepeatedScalarFieldContainer[bytes]
    keys: _containers.RepeatedCompositeFieldContainer[_checkpoint_pb2.VerifierKey]
    time: _timestamp_pb2.Timestamp
    without_payloads: bool
    def __init__(self, origin: _Optional[str] = ..., first_index: _Optional[int] = ..., size: _Optional[int] = ..., frontier: _Optional[_Iterable[bytes]] = ..., keys: _Optional[_Iterable[_Union[_checkpoint_pb2.VerifierKey, _Mapping]]] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., without_payloads: _Optional[bool] = ...) -> None: ...

class ExportedLeaf(_message.Message):
    __slots__ = ("index", "hash", "data", "salt", "payload", "dropped", "service", "stream", "sequence", "type", "time_ns", "keys")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    SALT_FIELD_NUMBER: _ClassVar[int]
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    DROPPED_FIELD_NUMBER: _ClassVar[int]
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    index: int
    hash: bytes
    data: bytes
    salt: bytes
    payload: bytes
    dropped: bool
    service: str
    stream: str
    sequence: int
    type: str
    time_ns: int
    keys: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, index: _Optional[int] = ..., hash: _Optional[bytes] = ..., data: _Optional[bytes] = ..., salt: _Optional[bytes] = ..., payload: _Optional[bytes] = ..., dropped: _Optional[bool] = ..., service: _Optional[str] = ..., stream: _Optional[str] = ..., sequence: _Optional[int] = ..., type: _Optional[str] = ..., time_ns: _Optional[int] = ..., keys: _Optional[_Iterable[str]] = ...) -> None: ...

class ExportRecord(_message.Message):
    __slots__ = ("leaf", "checkpoint", "tile", "stream", "stray")
    LEAF_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    TILE_FIELD_NUMBER: _ClassVar[int]
    STREAM_FIELD_NUMBER: _ClassVar[int]
    STRAY_FIELD_NUMBER: _ClassVar[int]
    leaf: ExportedLeaf
    checkpoint: _checkpoint_pb2.Checkpoint
    tile: _leaf_pb2.Tile
    stream: _leaf_pb2.AuditedStream
    stray: str
    def __init__(self, leaf: _Optional[_Union[ExportedLeaf, _Mapping]] = ..., checkpoint: _Optional[_Union[_checkpoint_pb2.Checkpoint, _Mapping]] = ..., tile: _Optional[_Union[_leaf_pb2.Tile, _Mapping]] = ..., stream: _Optional[_Union[_leaf_pb2.AuditedStream, _Mapping]] = ..., stray: _Optional[str] = ...) -> None: ...

class ExportBatch(_message.Message):
    __slots__ = ("records",)
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    records: _containers.RepeatedCompositeFieldContainer[ExportRecord]
    def __init__(self, records: _Optional[_Iterable[_Union[ExportRecord, _Mapping]]] = ...) -> None: ...
