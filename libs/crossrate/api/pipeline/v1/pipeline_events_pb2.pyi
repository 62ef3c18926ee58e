from crossrate.api.pipeline.v1 import dataset_pb2 as _dataset_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DatasetReady(_message.Message):
    __slots__ = ("dataset", "job_id", "rows_added")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_ADDED_FIELD_NUMBER: _ClassVar[int]
    dataset: _dataset_pb2.Dataset
    job_id: str
    rows_added: int
    def __init__(self, dataset: _Optional[_Union[_dataset_pb2.Dataset, _Mapping]] = ..., job_id: _Optional[str] = ..., rows_added: _Optional[int] = ...) -> None: ...

class DatasetDeleted(_message.Message):
    __slots__ = ("dataset", "rows_removed", "comment")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    ROWS_REMOVED_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    rows_removed: int
    comment: str
    def __init__(self, dataset: _Optional[str] = ..., rows_removed: _Optional[int] = ..., comment: _Optional[str] = ...) -> None: ...
