from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import covariance_pb2 as _covariance_pb2
from crossrate.api.risk.v1 import scenario_pb2 as _scenario_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class EstimateVolatilityRequest(_message.Message):
    __slots__ = ("instruments", "window", "model", "decay", "include_history")
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_HISTORY_FIELD_NUMBER: _ClassVar[int]
    instruments: _containers.RepeatedScalarFieldContainer[str]
    window: _scenario_pb2.HistoricalWindow
    model: _covariance_pb2.CovarianceModel
    decay: float
    include_history: bool
    def __init__(self, instruments: _Optional[_Iterable[str]] = ..., window: _Optional[_Union[_scenario_pb2.HistoricalWindow, _Mapping]] = ..., model: _Optional[_Union[_covariance_pb2.CovarianceModel, str]] = ..., decay: _Optional[float] = ..., include_history: _Optional[bool] = ...) -> None: ...

class GarchParameters(_message.Message):
    __slots__ = ("omega", "alpha", "beta", "long_run_volatility", "log_likelihood")
    OMEGA_FIELD_NUMBER: _ClassVar[int]
    ALPHA_FIELD_NUMBER: _ClassVar[int]
    BETA_FIELD_NUMBER: _ClassVar[int]
    LONG_RUN_VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    LOG_LIKELIHOOD_FIELD_NUMBER: _ClassVar[int]
    omega: float
    alpha: float
    beta: float
    long_run_volatility: float
    log_likelihood: float
    def __init__(self, omega: _Optional[float] = ..., alpha: _Optional[float] = ..., beta: _Optional[float] = ..., long_run_volatility: _Optional[float] = ..., log_likelihood: _Optional[float] = ...) -> None: ...

class VolatilityEstimate(_message.Message):
    __slots__ = ("instrument", "daily_volatility", "annual_volatility", "garch", "history")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    DAILY_VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    ANNUAL_VOLATILITY_FIELD_NUMBER: _ClassVar[int]
    GARCH_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    daily_volatility: float
    annual_volatility: float
    garch: GarchParameters
    history: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, instrument: _Optional[str] = ..., daily_volatility: _Optional[float] = ..., annual_volatility: _Optional[float] = ..., garch: _Optional[_Union[GarchParameters, _Mapping]] = ..., history: _Optional[_Iterable[float]] = ...) -> None: ...

class EstimateVolatilityResponse(_message.Message):
    __slots__ = ("volatilities", "correlation", "start_date", "end_date", "decay", "date", "rounding_class")
    VOLATILITIES_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_CLASS_FIELD_NUMBER: _ClassVar[int]
    volatilities: _containers.RepeatedCompositeFieldContainer[VolatilityEstimate]
    correlation: _containers.RepeatedScalarFieldContainer[float]
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    decay: float
    date: _containers.RepeatedCompositeFieldContainer[_date_pb2.Date]
    rounding_class: str
    def __init__(self, volatilities: _Optional[_Iterable[_Union[VolatilityEstimate, _Mapping]]] = ..., correlation: _Optional[_Iterable[float]] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., decay: _Optional[float] = ..., date: _Optional[_Iterable[_Union[_date_pb2.Date, _Mapping]]] = ..., rounding_class: _Optional[str] = ...) -> None: ...
