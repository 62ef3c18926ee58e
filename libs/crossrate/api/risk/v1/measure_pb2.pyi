from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import covariance_pb2 as _covariance_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VarMethod(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VAR_METHOD_UNSPECIFIED: _ClassVar[VarMethod]
    VAR_METHOD_PLAIN: _ClassVar[VarMethod]
    VAR_METHOD_AGE_WEIGHTED: _ClassVar[VarMethod]
    VAR_METHOD_VOLATILITY_FILTERED: _ClassVar[VarMethod]
    VAR_METHOD_DELTA_NORMAL: _ClassVar[VarMethod]
    VAR_METHOD_DELTA_GAMMA: _ClassVar[VarMethod]
VAR_METHOD_UNSPECIFIED: VarMethod
VAR_METHOD_PLAIN: VarMethod
VAR_METHOD_AGE_WEIGHTED: VarMethod
VAR_METHOD_VOLATILITY_FILTERED: VarMethod
VAR_METHOD_DELTA_NORMAL: VarMethod
VAR_METHOD_DELTA_GAMMA: VarMethod

class VarMeasure(_message.Message):
    __slots__ = ("confidence", "value_at_risk", "expected_shortfall", "expected_shortfall_error", "component_value_at_risk", "component_expected_shortfall", "incremental_value_at_risk", "incremental_expected_shortfall", "marginal_value_at_risk", "marginal_expected_shortfall", "explained_value_at_risk", "candidate_value_at_risk", "candidate_expected_shortfall", "value_at_risk_error", "value_at_risk_lower", "value_at_risk_upper")
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SHORTFALL_ERROR_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    INCREMENTAL_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    INCREMENTAL_EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    MARGINAL_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    MARGINAL_EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    EXPLAINED_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_ERROR_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_LOWER_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_UPPER_FIELD_NUMBER: _ClassVar[int]
    confidence: float
    value_at_risk: float
    expected_shortfall: float
    expected_shortfall_error: float
    component_value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    component_expected_shortfall: _containers.RepeatedScalarFieldContainer[float]
    incremental_value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    incremental_expected_shortfall: _containers.RepeatedScalarFieldContainer[float]
    marginal_value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    marginal_expected_shortfall: _containers.RepeatedScalarFieldContainer[float]
    explained_value_at_risk: float
    candidate_value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    candidate_expected_shortfall: _containers.RepeatedScalarFieldContainer[float]
    value_at_risk_error: float
    value_at_risk_lower: float
    value_at_risk_upper: float
    def __init__(self, confidence: _Optional[float] = ..., value_at_risk: _Optional[float] = ..., expected_shortfall: _Optional[float] = ..., expected_shortfall_error: _Optional[float] = ..., component_value_at_risk: _Optional[_Iterable[float]] = ..., component_expected_shortfall: _Optional[_Iterable[float]] = ..., incremental_value_at_risk: _Optional[_Iterable[float]] = ..., incremental_expected_shortfall: _Optional[_Iterable[float]] = ..., marginal_value_at_risk: _Optional[_Iterable[float]] = ..., marginal_expected_shortfall: _Optional[_Iterable[float]] = ..., explained_value_at_risk: _Optional[float] = ..., candidate_value_at_risk: _Optional[_Iterable[float]] = ..., candidate_expected_shortfall: _Optional[_Iterable[float]] = ..., value_at_risk_error: _Optional[float] = ..., value_at_risk_lower: _Optional[float] = ..., value_at_risk_upper: _Optional[float] = ...) -> None: ...

class ProfitMoments(_message.Message):
    __slots__ = ("mean", "deviation", "skewness", "excess_kurtosis")
    MEAN_FIELD_NUMBER: _ClassVar[int]
    DEVIATION_FIELD_NUMBER: _ClassVar[int]
    SKEWNESS_FIELD_NUMBER: _ClassVar[int]
    EXCESS_KURTOSIS_FIELD_NUMBER: _ClassVar[int]
    mean: float
    deviation: float
    skewness: float
    excess_kurtosis: float
    def __init__(self, mean: _Optional[float] = ..., deviation: _Optional[float] = ..., skewness: _Optional[float] = ..., excess_kurtosis: _Optional[float] = ...) -> None: ...

class WorstScenario(_message.Message):
    __slots__ = ("index", "date", "profit")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    index: int
    date: _date_pb2.Date
    profit: float
    def __init__(self, index: _Optional[int] = ..., date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., profit: _Optional[float] = ...) -> None: ...

class VarResult(_message.Message):
    __slots__ = ("measures", "scenarios", "start_date", "end_date", "worst", "profit", "reporting_currency", "market_date", "rounding_class", "method", "decay", "seed", "volatilities", "moments")
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATE_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_CLASS_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    VOLATILITIES_FIELD_NUMBER: _ClassVar[int]
    MOMENTS_FIELD_NUMBER: _ClassVar[int]
    measures: _containers.RepeatedCompositeFieldContainer[VarMeasure]
    scenarios: int
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    worst: _containers.RepeatedCompositeFieldContainer[WorstScenario]
    profit: _containers.RepeatedScalarFieldContainer[float]
    reporting_currency: str
    market_date: _date_pb2.Date
    rounding_class: str
    method: VarMethod
    decay: float
    seed: int
    volatilities: _containers.RepeatedCompositeFieldContainer[_covariance_pb2.CurrencyVolatility]
    moments: ProfitMoments
    def __init__(self, measures: _Optional[_Iterable[_Union[VarMeasure, _Mapping]]] = ..., scenarios: _Optional[int] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., worst: _Optional[_Iterable[_Union[WorstScenario, _Mapping]]] = ..., profit: _Optional[_Iterable[float]] = ..., reporting_currency: _Optional[str] = ..., market_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rounding_class: _Optional[str] = ..., method: _Optional[_Union[VarMethod, str]] = ..., decay: _Optional[float] = ..., seed: _Optional[int] = ..., volatilities: _Optional[_Iterable[_Union[_covariance_pb2.CurrencyVolatility, _Mapping]]] = ..., moments: _Optional[_Union[ProfitMoments, _Mapping]] = ...) -> None: ...

class StressResult(_message.Message):
    __slots__ = ("name", "profit", "market_profit", "missing_currencies", "start_date", "end_date")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    MARKET_PROFIT_FIELD_NUMBER: _ClassVar[int]
    MISSING_CURRENCIES_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    name: str
    profit: float
    market_profit: _containers.RepeatedScalarFieldContainer[float]
    missing_currencies: _containers.RepeatedScalarFieldContainer[str]
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    def __init__(self, name: _Optional[str] = ..., profit: _Optional[float] = ..., market_profit: _Optional[_Iterable[float]] = ..., missing_currencies: _Optional[_Iterable[str]] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...
