from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import book_pb2 as _book_pb2
from crossrate.api.risk.v1 import exposure_pb2 as _exposure_pb2
from crossrate.api.risk.v1 import measure_pb2 as _measure_pb2
from crossrate.api.risk.v1 import scenario_pb2 as _scenario_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.rpc import status_pb2 as _status_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CalculateVarRequest(_message.Message):
    __slots__ = ("book", "historical", "given", "method", "decay", "confidence", "include_components", "include_profits", "resume_cursor")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PROFITS_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    historical: _scenario_pb2.HistoricalWindow
    given: _scenario_pb2.GivenScenarios
    method: _measure_pb2.VarMethod
    decay: float
    confidence: _containers.RepeatedScalarFieldContainer[float]
    include_components: bool
    include_profits: bool
    resume_cursor: str
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., historical: _Optional[_Union[_scenario_pb2.HistoricalWindow, _Mapping]] = ..., given: _Optional[_Union[_scenario_pb2.GivenScenarios, _Mapping]] = ..., method: _Optional[_Union[_measure_pb2.VarMethod, str]] = ..., decay: _Optional[float] = ..., confidence: _Optional[_Iterable[float]] = ..., include_components: _Optional[bool] = ..., include_profits: _Optional[bool] = ..., resume_cursor: _Optional[str] = ...) -> None: ...

class VarProgress(_message.Message):
    __slots__ = ("scenarios_done", "scenarios_total")
    SCENARIOS_DONE_FIELD_NUMBER: _ClassVar[int]
    SCENARIOS_TOTAL_FIELD_NUMBER: _ClassVar[int]
    scenarios_done: int
    scenarios_total: int
    def __init__(self, scenarios_done: _Optional[int] = ..., scenarios_total: _Optional[int] = ...) -> None: ...

class CalculateVarResponse(_message.Message):
    __slots__ = ("position", "progress", "result", "heartbeat", "error", "end")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    position: _stream_pb2.StreamPosition
    progress: VarProgress
    result: _measure_pb2.VarResult
    heartbeat: _stream_pb2.Heartbeat
    error: _status_pb2.Status
    end: _stream_pb2.StreamEnd
    def __init__(self, position: _Optional[_Union[_stream_pb2.StreamPosition, _Mapping]] = ..., progress: _Optional[_Union[VarProgress, _Mapping]] = ..., result: _Optional[_Union[_measure_pb2.VarResult, _Mapping]] = ..., heartbeat: _Optional[_Union[_stream_pb2.Heartbeat, _Mapping]] = ..., error: _Optional[_Union[_status_pb2.Status, _Mapping]] = ..., end: _Optional[_Union[_stream_pb2.StreamEnd, _Mapping]] = ...) -> None: ...

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

class ExposureRequest(_message.Message):
    __slots__ = ("book", "accounts", "account")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    accounts: _containers.RepeatedScalarFieldContainer[str]
    account: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., accounts: _Optional[_Iterable[str]] = ..., account: _Optional[_Iterable[int]] = ...) -> None: ...

class ExposureResponse(_message.Message):
    __slots__ = ("total", "accounts", "reporting_currency", "market_date")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATE_FIELD_NUMBER: _ClassVar[int]
    total: _exposure_pb2.BookExposure
    accounts: _containers.RepeatedCompositeFieldContainer[_exposure_pb2.AccountExposure]
    reporting_currency: str
    market_date: _date_pb2.Date
    def __init__(self, total: _Optional[_Union[_exposure_pb2.BookExposure, _Mapping]] = ..., accounts: _Optional[_Iterable[_Union[_exposure_pb2.AccountExposure, _Mapping]]] = ..., reporting_currency: _Optional[str] = ..., market_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

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
