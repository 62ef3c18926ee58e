from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
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
VAR_METHOD_UNSPECIFIED: VarMethod
VAR_METHOD_PLAIN: VarMethod
VAR_METHOD_AGE_WEIGHTED: VarMethod
VAR_METHOD_VOLATILITY_FILTERED: VarMethod

class VarMeasure(_message.Message):
    __slots__ = ("confidence", "value_at_risk", "expected_shortfall", "expected_shortfall_error", "component_value_at_risk", "component_expected_shortfall", "incremental_value_at_risk")
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_SHORTFALL_ERROR_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_EXPECTED_SHORTFALL_FIELD_NUMBER: _ClassVar[int]
    INCREMENTAL_VALUE_AT_RISK_FIELD_NUMBER: _ClassVar[int]
    confidence: float
    value_at_risk: float
    expected_shortfall: float
    expected_shortfall_error: float
    component_value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    component_expected_shortfall: _containers.RepeatedScalarFieldContainer[float]
    incremental_value_at_risk: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, confidence: _Optional[float] = ..., value_at_risk: _Optional[float] = ..., expected_shortfall: _Optional[float] = ..., expected_shortfall_error: _Optional[float] = ..., component_value_at_risk: _Optional[_Iterable[float]] = ..., component_expected_shortfall: _Optional[_Iterable[float]] = ..., incremental_value_at_risk: _Optional[_Iterable[float]] = ...) -> None: ...

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
    __slots__ = ("measures", "scenarios", "start_date", "end_date", "worst", "profit", "reporting_currency", "market_date", "rounding_class")
    MEASURES_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    START_DATE_FIELD_NUMBER: _ClassVar[int]
    END_DATE_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATE_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_CLASS_FIELD_NUMBER: _ClassVar[int]
    measures: _containers.RepeatedCompositeFieldContainer[VarMeasure]
    scenarios: int
    start_date: _date_pb2.Date
    end_date: _date_pb2.Date
    worst: _containers.RepeatedCompositeFieldContainer[WorstScenario]
    profit: _containers.RepeatedScalarFieldContainer[float]
    reporting_currency: str
    market_date: _date_pb2.Date
    rounding_class: str
    def __init__(self, measures: _Optional[_Iterable[_Union[VarMeasure, _Mapping]]] = ..., scenarios: _Optional[int] = ..., start_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., end_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., worst: _Optional[_Iterable[_Union[WorstScenario, _Mapping]]] = ..., profit: _Optional[_Iterable[float]] = ..., reporting_currency: _Optional[str] = ..., market_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rounding_class: _Optional[str] = ...) -> None: ...

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
