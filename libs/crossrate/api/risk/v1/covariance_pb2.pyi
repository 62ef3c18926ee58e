from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import scenario_pb2 as _scenario_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CovarianceModel(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COVARIANCE_MODEL_UNSPECIFIED: _ClassVar[CovarianceModel]
    COVARIANCE_MODEL_SAMPLE: _ClassVar[CovarianceModel]
    COVARIANCE_MODEL_EXPONENTIALLY_WEIGHTED: _ClassVar[CovarianceModel]
    COVARIANCE_MODEL_GARCH: _ClassVar[CovarianceModel]
COVARIANCE_MODEL_UNSPECIFIED: CovarianceModel
COVARIANCE_MODEL_SAMPLE: CovarianceModel
COVARIANCE_MODEL_EXPONENTIALLY_WEIGHTED: CovarianceModel
COVARIANCE_MODEL_GARCH: CovarianceModel

class EstimatedCovariance(_message.Message):
    __slots__ = ("window", "model", "decay")
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    window: _scenario_pb2.HistoricalWindow
    model: CovarianceModel
    decay: float
    def __init__(self, window: _Optional[_Union[_scenario_pb2.HistoricalWindow, _Mapping]] = ..., model: _Optional[_Union[CovarianceModel, str]] = ..., decay: _Optional[float] = ...) -> None: ...

class GivenCovariance(_message.Message):
    __slots__ = ("currencies", "volatility", "correlation", "nearest_correlation")
    CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    NEAREST_CORRELATION_FIELD_NUMBER: _ClassVar[int]
    currencies: _containers.RepeatedScalarFieldContainer[str]
    volatility: _containers.RepeatedScalarFieldContainer[float]
    correlation: _containers.RepeatedScalarFieldContainer[float]
    nearest_correlation: bool
    def __init__(self, currencies: _Optional[_Iterable[str]] = ..., volatility: _Optional[_Iterable[float]] = ..., correlation: _Optional[_Iterable[float]] = ..., nearest_correlation: _Optional[bool] = ...) -> None: ...

class Covariance(_message.Message):
    __slots__ = ("estimated", "given")
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    estimated: EstimatedCovariance
    given: GivenCovariance
    def __init__(self, estimated: _Optional[_Union[EstimatedCovariance, _Mapping]] = ..., given: _Optional[_Union[GivenCovariance, _Mapping]] = ...) -> None: ...

class CurrencyVolatility(_message.Message):
    __slots__ = ("currency", "volatility")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    currency: str
    volatility: float
    def __init__(self, currency: _Optional[str] = ..., volatility: _Optional[float] = ...) -> None: ...
