from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import book_pb2 as _book_pb2
from crossrate.api.risk.v1 import covariance_pb2 as _covariance_pb2
from crossrate.api.risk.v1 import measure_pb2 as _measure_pb2
from crossrate.api.risk.v1 import scenario_pb2 as _scenario_pb2
from google.rpc import status_pb2 as _status_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class TrafficLightZone(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRAFFIC_LIGHT_ZONE_UNSPECIFIED: _ClassVar[TrafficLightZone]
    TRAFFIC_LIGHT_ZONE_GREEN: _ClassVar[TrafficLightZone]
    TRAFFIC_LIGHT_ZONE_YELLOW: _ClassVar[TrafficLightZone]
    TRAFFIC_LIGHT_ZONE_RED: _ClassVar[TrafficLightZone]
TRAFFIC_LIGHT_ZONE_UNSPECIFIED: TrafficLightZone
TRAFFIC_LIGHT_ZONE_GREEN: TrafficLightZone
TRAFFIC_LIGHT_ZONE_YELLOW: TrafficLightZone
TRAFFIC_LIGHT_ZONE_RED: TrafficLightZone

class ForecastSeries(_message.Message):
    __slots__ = ("profit", "value_at_risk", "date")
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    profit: _containers.RepeatedScalarFieldContainer[float]
    value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    date: _containers.RepeatedCompositeFieldContainer[_date_pb2.Date]
    def __init__(self, profit: _Optional[_Iterable[float]] = ..., value_at_risk: _Optional[_Iterable[float]] = ..., date: _Optional[_Iterable[_Union[_date_pb2.Date, _Mapping]]] = ...) -> None: ...

class HistoricalForecast(_message.Message):
    __slots__ = ("method", "decay")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    method: _measure_pb2.VarMethod
    decay: float
    def __init__(self, method: _Optional[_Union[_measure_pb2.VarMethod, str]] = ..., decay: _Optional[float] = ...) -> None: ...

class CovarianceForecast(_message.Message):
    __slots__ = ("method", "model", "decay")
    METHOD_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    method: _measure_pb2.VarMethod
    model: _covariance_pb2.CovarianceModel
    decay: float
    def __init__(self, method: _Optional[_Union[_measure_pb2.VarMethod, str]] = ..., model: _Optional[_Union[_covariance_pb2.CovarianceModel, str]] = ..., decay: _Optional[float] = ...) -> None: ...

class SimulatedForecast(_message.Message):
    __slots__ = ("model", "decay", "count", "seed", "antithetic")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ANTITHETIC_FIELD_NUMBER: _ClassVar[int]
    model: _covariance_pb2.CovarianceModel
    decay: float
    count: int
    seed: int
    antithetic: bool
    def __init__(self, model: _Optional[_Union[_covariance_pb2.CovarianceModel, str]] = ..., decay: _Optional[float] = ..., count: _Optional[int] = ..., seed: _Optional[int] = ..., antithetic: _Optional[bool] = ...) -> None: ...

class BookForecasts(_message.Message):
    __slots__ = ("book", "tested", "window_days", "historical", "covariance", "simulated")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    TESTED_FIELD_NUMBER: _ClassVar[int]
    WINDOW_DAYS_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    tested: _scenario_pb2.HistoricalWindow
    window_days: int
    historical: HistoricalForecast
    covariance: CovarianceForecast
    simulated: SimulatedForecast
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., tested: _Optional[_Union[_scenario_pb2.HistoricalWindow, _Mapping]] = ..., window_days: _Optional[int] = ..., historical: _Optional[_Union[HistoricalForecast, _Mapping]] = ..., covariance: _Optional[_Union[CovarianceForecast, _Mapping]] = ..., simulated: _Optional[_Union[SimulatedForecast, _Mapping]] = ...) -> None: ...

class BacktestRequest(_message.Message):
    __slots__ = ("series", "book", "confidence", "include_series", "resume_cursor")
    SERIES_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SERIES_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    series: ForecastSeries
    book: BookForecasts
    confidence: float
    include_series: bool
    resume_cursor: str
    def __init__(self, series: _Optional[_Union[ForecastSeries, _Mapping]] = ..., book: _Optional[_Union[BookForecasts, _Mapping]] = ..., confidence: _Optional[float] = ..., include_series: _Optional[bool] = ..., resume_cursor: _Optional[str] = ...) -> None: ...

class Exceedance(_message.Message):
    __slots__ = ("index", "date", "profit", "value_at_risk")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    index: int
    date: _date_pb2.Date
    profit: float
    value_at_risk: float
    def __init__(self, index: _Optional[int] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., profit: _Optional[float] = ..., value_at_risk: _Optional[float] = ...) -> None: ...

class LikelihoodRatioTest(_message.Message):
    __slots__ = ("statistic", "p_value", "degrees_of_freedom")
    STATISTIC_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    DEGREES_OF_FREEDOM_FIELD_NUMBER: _ClassVar[int]
    statistic: float
    p_value: float
    degrees_of_freedom: int
    def __init__(self, statistic: _Optional[float] = ..., p_value: _Optional[float] = ..., degrees_of_freedom: _Optional[int] = ...) -> None: ...

class ExceedanceTransitions(_message.Message):
    __slots__ = ("none_to_none", "none_to_exceedance", "exceedance_to_none", "exceedance_to_exceedance")
    NONE_TO_NONE_FIELD_NUMBER: _ClassVar[int]
    NONE_TO_EXCEEDANCE_FIELD_NUMBER: _ClassVar[int]
    EXCEEDANCE_TO_NONE_FIELD_NUMBER: _ClassVar[int]
    EXCEEDANCE_TO_EXCEEDANCE_FIELD_NUMBER: _ClassVar[int]
    none_to_none: int
    none_to_exceedance: int
    exceedance_to_none: int
    exceedance_to_exceedance: int
    def __init__(self, none_to_none: _Optional[int] = ..., none_to_exceedance: _Optional[int] = ..., exceedance_to_none: _Optional[int] = ..., exceedance_to_exceedance: _Optional[int] = ...) -> None: ...

class TrafficLight(_message.Message):
    __slots__ = ("zone", "cumulative_probability", "tail_probability", "multiplier_add_on")
    ZONE_FIELD_NUMBER: _ClassVar[int]
    CUMULATIVE_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    TAIL_PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    MULTIPLIER_ADD_ON_FIELD_NUMBER: _ClassVar[int]
    zone: TrafficLightZone
    cumulative_probability: float
    tail_probability: float
    multiplier_add_on: float
    def __init__(self, zone: _Optional[_Union[TrafficLightZone, str]] = ..., cumulative_probability: _Optional[float] = ..., tail_probability: _Optional[float] = ..., multiplier_add_on: _Optional[float] = ...) -> None: ...

class BacktestResult(_message.Message):
    __slots__ = ("observations", "expected_exceedances", "exceedances", "kupiec", "independence", "conditional_coverage", "transitions", "traffic_light", "start_date", "end_date", "profit", "value_at_risk", "date", "reporting_currency", "market_date", "decay", "seed", "rounding_class")
    OBSERVATIONS_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_EXCEEDANCES_FIELD_NUMBER: _ClassVar[int]
    EXCEEDANCES_FIELD_NUMBER: _ClassVar[int]
    KUPIEC_FIELD_NUMBER: _ClassVar[int]
    INDEPENDENCE_FIELD_NUMBER: _ClassVar[int]
    CONDITIONAL_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSITIONS_FIELD_NUMBER: _ClassVar[int]
    TRAFFIC_LIGHT_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATE_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_CLASS_FIELD_NUMBER: _ClassVar[int]
    observations: int
    expected_exceedances: float
    exceedances: _containers.RepeatedCompositeFieldContainer[Exceedance]
    kupiec: LikelihoodRatioTest
    independence: LikelihoodRatioTest
    conditional_coverage: LikelihoodRatioTest
    transitions: ExceedanceTransitions
    traffic_light: TrafficLight
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    profit: _containers.RepeatedScalarFieldContainer[float]
    value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    date: _containers.RepeatedCompositeFieldContainer[_date_pb2.Date]
    reporting_currency: str
    market_date: _date_pb2.Date
    decay: float
    seed: int
    rounding_class: str
    def __init__(self, observations: _Optional[int] = ..., expected_exceedances: _Optional[float] = ..., exceedances: _Optional[_Iterable[_Union[Exceedance, _Mapping]]] = ..., kupiec: _Optional[_Union[LikelihoodRatioTest, _Mapping]] = ..., independence: _Optional[_Union[LikelihoodRatioTest, _Mapping]] = ..., conditional_coverage: _Optional[_Union[LikelihoodRatioTest, _Mapping]] = ..., transitions: _Optional[_Union[ExceedanceTransitions, _Mapping]] = ..., traffic_light: _Optional[_Union[TrafficLight, _Mapping]] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., profit: _Optional[_Iterable[float]] = ..., value_at_risk: _Optional[_Iterable[float]] = ..., date: _Optional[_Iterable[_Union[_date_pb2.Date, _Mapping]]] = ..., reporting_currency: _Optional[str] = ..., market_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., decay: _Optional[float] = ..., seed: _Optional[int] = ..., rounding_class: _Optional[str] = ...) -> None: ...

class BacktestProgress(_message.Message):
    __slots__ = ("days_done", "days_total")
    DAYS_DONE_FIELD_NUMBER: _ClassVar[int]
    DAYS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    days_done: int
    days_total: int
    def __init__(self, days_done: _Optional[int] = ..., days_total: _Optional[int] = ...) -> None: ...

class BacktestResponse(_message.Message):
    __slots__ = ("position", "progress", "result", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    progress: BacktestProgress
    result: BacktestResult
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., progress: _Optional[_Union[BacktestProgress, _Mapping]] = ..., result: _Optional[_Union[BacktestResult, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...
