import datetime

from crossrate.api.marketdata.v1 import feed_pb2 as _feed_pb2
from crossrate.api.marketdata.v1 import quote_pb2 as _quote_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class QuotesPublished(_message.Message):
    __slots__ = ("epoch", "first_sequence", "quotes", "board", "state", "released", "publish_time", "board_number", "feed")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    FIRST_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    QUOTES_FIELD_NUMBER: _ClassVar[int]
    BOARD_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    PUBLISH_TIME_FIELD_NUMBER: _ClassVar[int]
    BOARD_NUMBER_FIELD_NUMBER: _ClassVar[int]
    FEED_FIELD_NUMBER: _ClassVar[int]
    epoch: int
    first_sequence: int
    quotes: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Quote]
    board: _containers.RepeatedCompositeFieldContainer[_quote_pb2.Quote]
    state: FeedState
    released: bool
    publish_time: _timestamp_pb2.Timestamp
    board_number: int
    feed: _feed_pb2.Feed
    def __init__(self, epoch: _Optional[int] = ..., first_sequence: _Optional[int] = ..., quotes: _Optional[_Iterable[_Union[_quote_pb2.Quote, _Mapping]]] = ..., board: _Optional[_Iterable[_Union[_quote_pb2.Quote, _Mapping]]] = ..., state: _Optional[_Union[FeedState, _Mapping]] = ..., released: _Optional[bool] = ..., publish_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., board_number: _Optional[int] = ..., feed: _Optional[_Union[_feed_pb2.Feed, _Mapping]] = ...) -> None: ...

class FeedState(_message.Message):
    __slots__ = ("calibration", "step", "log_rates", "replay")
    CALIBRATION_FIELD_NUMBER: _ClassVar[int]
    STEP_FIELD_NUMBER: _ClassVar[int]
    LOG_RATES_FIELD_NUMBER: _ClassVar[int]
    REPLAY_FIELD_NUMBER: _ClassVar[int]
    calibration: str
    step: int
    log_rates: _containers.RepeatedScalarFieldContainer[float]
    replay: ReplayPlace
    def __init__(self, calibration: _Optional[str] = ..., step: _Optional[int] = ..., log_rates: _Optional[_Iterable[float]] = ..., replay: _Optional[_Union[ReplayPlace, _Mapping]] = ...) -> None: ...

class ReplayPlace(_message.Message):
    __slots__ = ("dataset", "passes", "rows")
    DATASET_FIELD_NUMBER: _ClassVar[int]
    PASSES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    dataset: str
    passes: int
    rows: int
    def __init__(self, dataset: _Optional[str] = ..., passes: _Optional[int] = ..., rows: _Optional[int] = ...) -> None: ...
