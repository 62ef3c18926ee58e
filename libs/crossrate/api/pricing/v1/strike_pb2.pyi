from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.pricing.v1 import batch_pb2 as _batch_pb2
from crossrate.api.pricing.v1 import product_pb2 as _product_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SolveStrikeRequest(_message.Message):
    __slots__ = ("delta", "delta_type", "atm_type", "time", "given", "snapshot", "skip_unsolved")
    DELTA_FIELD_NUMBER: _ClassVar[int]
    DELTA_TYPE_FIELD_NUMBER: _ClassVar[int]
    ATM_TYPE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    SNAPSHOT_FIELD_NUMBER: _ClassVar[int]
    SKIP_UNSOLVED_FIELD_NUMBER: _ClassVar[int]
    delta: _containers.RepeatedScalarFieldContainer[float]
    delta_type: _containers.RepeatedScalarFieldContainer[int]
    atm_type: _containers.RepeatedScalarFieldContainer[int]
    time: _containers.RepeatedScalarFieldContainer[float]
    given: _batch_pb2.BatchMarket
    snapshot: StrikeSnapshot
    skip_unsolved: bool
    def __init__(self, delta: _Optional[_Iterable[float]] = ..., delta_type: _Optional[_Iterable[int]] = ..., atm_type: _Optional[_Iterable[int]] = ..., time: _Optional[_Iterable[float]] = ..., given: _Optional[_Union[_batch_pb2.BatchMarket, _Mapping]] = ..., snapshot: _Optional[_Union[StrikeSnapshot, _Mapping]] = ..., skip_unsolved: _Optional[bool] = ...) -> None: ...

class StrikeSnapshot(_message.Message):
    __slots__ = ("snapshot_id", "instruments", "instrument_index", "expiry", "cut")
    SNAPSHOT_ID_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_INDEX_FIELD_NUMBER: _ClassVar[int]
    EXPIRY_FIELD_NUMBER: _ClassVar[int]
    CUT_FIELD_NUMBER: _ClassVar[int]
    snapshot_id: str
    instruments: _containers.RepeatedScalarFieldContainer[str]
    instrument_index: _containers.RepeatedScalarFieldContainer[int]
    expiry: _containers.RepeatedScalarFieldContainer[str]
    cut: _product_pb2.ExpiryCut
    def __init__(self, snapshot_id: _Optional[str] = ..., instruments: _Optional[_Iterable[str]] = ..., instrument_index: _Optional[_Iterable[int]] = ..., expiry: _Optional[_Iterable[str]] = ..., cut: _Optional[_Union[_product_pb2.ExpiryCut, str]] = ...) -> None: ...

class SolveStrikeResponse(_message.Message):
    __slots__ = ("strike", "volatility", "forward", "time", "unsolved")
    STRIKE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    FORWARD_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    UNSOLVED_FIELD_NUMBER: _ClassVar[int]
    strike: _containers.RepeatedScalarFieldContainer[float]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    forward: _containers.RepeatedScalarFieldContainer[float]
    time: _containers.RepeatedScalarFieldContainer[float]
    unsolved: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, strike: _Optional[_Iterable[float]] = ..., volatility: _Optional[_Iterable[float]] = ..., forward: _Optional[_Iterable[float]] = ..., time: _Optional[_Iterable[float]] = ..., unsolved: _Optional[_Iterable[int]] = ...) -> None: ...
