from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import book_pb2 as _book_pb2
from crossrate.api.risk.v1 import measure_pb2 as _measure_pb2
from crossrate.api.risk.v1 import scenario_pb2 as _scenario_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StressTestRequest(_message.Message):
    __slots__ = ("book", "scenarios", "shocks")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_FIELD_NUMBER: _ClassVar[int]
    SHOCKS_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    scenarios: _containers.RepeatedScalarFieldContainer[str]
    shocks: _containers.RepeatedCompositeFieldContainer[_scenario_pb2.Shock]
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., scenarios: _Optional[_Iterable[str]] = ..., shocks: _Optional[_Iterable[_Union[_scenario_pb2.Shock, _Mapping]]] = ...) -> None: ...

class StressTestResponse(_message.Message):
    __slots__ = ("results", "reporting_currency", "market_date", "rounding_class")
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATE_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_CLASS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[_measure_pb2.StressResult]
    reporting_currency: str
    market_date: _date_pb2.Date
    rounding_class: str
    def __init__(self, results: _Optional[_Iterable[_Union[_measure_pb2.StressResult, _Mapping]]] = ..., reporting_currency: _Optional[str] = ..., market_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rounding_class: _Optional[str] = ...) -> None: ...

class ScenarioLadderRequest(_message.Message):
    __slots__ = ("book", "spot_move", "volatility_move", "instrument")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    SPOT_MOVE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_MOVE_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    spot_move: _containers.RepeatedScalarFieldContainer[float]
    volatility_move: _containers.RepeatedScalarFieldContainer[float]
    instrument: str
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., spot_move: _Optional[_Iterable[float]] = ..., volatility_move: _Optional[_Iterable[float]] = ..., instrument: _Optional[str] = ...) -> None: ...

class ScenarioLadderResponse(_message.Message):
    __slots__ = ("profit", "worst_index", "reporting_currency", "market_date", "rounding_class")
    PROFIT_FIELD_NUMBER: _ClassVar[int]
    WORST_INDEX_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATE_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_CLASS_FIELD_NUMBER: _ClassVar[int]
    profit: _containers.RepeatedScalarFieldContainer[float]
    worst_index: int
    reporting_currency: str
    market_date: _date_pb2.Date
    rounding_class: str
    def __init__(self, profit: _Optional[_Iterable[float]] = ..., worst_index: _Optional[int] = ..., reporting_currency: _Optional[str] = ..., market_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rounding_class: _Optional[str] = ...) -> None: ...
