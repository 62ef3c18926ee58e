import datetime

from crossrate.api.marketdata.v1 import book_pb2 as _book_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BooksPublished(_message.Message):
    __slots__ = ("epoch", "changes", "books", "round_number", "publish_time")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    ROUND_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    changes: _containers.RepeatedCompositeFieldContainer[_book_pb2.BookChange]
    books: _containers.RepeatedCompositeFieldContainer[_book_pb2.Book]
    round_number: int
    publish_time: _timestamp_pb2.Timestamp
    def __init__(self, epoch: _Optional[int] = ..., changes: _Optional[_Iterable[_Union[_book_pb2.BookChange, _Mapping]]] = ..., books: _Optional[_Iterable[_Union[_book_pb2.Book, _Mapping]]] = ..., round_number: _Optional[int] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
