from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.common.v1 import stream_pb2 as _stream_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import backtest_pb2 as _backtest_pb2
from crossrate.api.risk.v1 import book_pb2 as _book_pb2
from crossrate.api.risk.v1 import covariance_pb2 as _covariance_pb2
from crossrate.api.risk.v1 import exposure_pb2 as _exposure_pb2
from crossrate.api.risk.v1 import margin_pb2 as _margin_pb2
from crossrate.api.risk.v1 import measure_pb2 as _measure_pb2
from crossrate.api.risk.v1 import scenario_pb2 as _scenario_pb2
from crossrate.api.risk.v1 import simulation_pb2 as _simulation_pb2
from crossrate.api.risk.v1 import stress_pb2 as _stress_pb2
from crossrate.api.risk.v1 import volatility_pb2 as _volatility_pb2
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
    __slots__ = ("book", "historical", "given", "simulated", "covariance", "method", "decay", "confidence", "include_components", "include_profits", "resume_cursor", "component_window", "candidate")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    HISTORICAL_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    SIMULATED_FIELD_NUMBER: _ClassVar[int]
    COVARIANCE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    DECAY_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_COMPONENTS_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PROFITS_FIELD_NUMBER: _ClassVar[int]
    RESUME_CURSOR_FIELD_NUMBER: _ClassVar[int]
    COMPONENT_WINDOW_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    historical: _scenario_pb2.HistoricalWindow
    given: _scenario_pb2.GivenScenarios
    simulated: _simulation_pb2.SimulatedScenarios
    covariance: _covariance_pb2.Covariance
    method: _measure_pb2.VarMethod
    decay: float
    confidence: _containers.RepeatedScalarFieldContainer[float]
    include_components: bool
    include_profits: bool
    resume_cursor: str
    component_window: int
    candidate: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., historical: _Optional[_Union[_scenario_pb2.HistoricalWindow, _Mapping]] = ..., given: _Optional[_Union[_scenario_pb2.GivenScenarios, _Mapping]] = ..., simulated: _Optional[_Union[_simulation_pb2.SimulatedScenarios, _Mapping]] = ..., covariance: _Optional[_Union[_covariance_pb2.Covariance, _Mapping]] = ..., method: _Optional[_Union[_measure_pb2.VarMethod, str]] = ..., decay: _Optional[float] = ..., confidence: _Optional[_Iterable[float]] = ..., include_components: _Optional[bool] = ..., include_profits: _Optional[bool] = ..., resume_cursor: _Optional[str] = ..., component_window: _Optional[int] = ..., candidate: _Optional[_Iterable[int]] = ...) -> None: ...

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
