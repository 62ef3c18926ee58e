from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from crossrate.api.risk.v1 import book_pb2 as _book_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MarginScan(_message.Message):
    __slots__ = ("price_scan", "volatility_scan", "short_option_minimum")
    PRICE_SCAN_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_SCAN_FIELD_NUMBER: _ClassVar[int]
    SHORT_OPTION_MINIMUM_FIELD_NUMBER: _ClassVar[int]
    price_scan: float
    volatility_scan: float
    short_option_minimum: float
    def __init__(self, price_scan: _Optional[float] = ..., volatility_scan: _Optional[float] = ..., short_option_minimum: _Optional[float] = ...) -> None: ...

class MarginSpread(_message.Message):
    __slots__ = ("first", "second", "first_ratio", "second_ratio", "credit_rate", "same_side")
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SECOND_FIELD_NUMBER: _ClassVar[int]
    FIRST_RATIO_FIELD_NUMBER: _ClassVar[int]
    SECOND_RATIO_FIELD_NUMBER: _ClassVar[int]
    CREDIT_RATE_FIELD_NUMBER: _ClassVar[int]
    SAME_SIDE_FIELD_NUMBER: _ClassVar[int]
    first: str
    second: str
    first_ratio: float
    second_ratio: float
    credit_rate: float
    same_side: bool
    def __init__(self, first: _Optional[str] = ..., second: _Optional[str] = ..., first_ratio: _Optional[float] = ..., second_ratio: _Optional[float] = ..., credit_rate: _Optional[float] = ..., same_side: _Optional[bool] = ...) -> None: ...

class ScanMargin(_message.Message):
    __slots__ = ("scans", "extreme_multiple", "extreme_cover", "spreads", "credit_option_value")
    SCANS_FIELD_NUMBER: _ClassVar[int]
    EXTREME_MULTIPLE_FIELD_NUMBER: _ClassVar[int]
    EXTREME_COVER_FIELD_NUMBER: _ClassVar[int]
    SPREADS_FIELD_NUMBER: _ClassVar[int]
    CREDIT_OPTION_VALUE_FIELD_NUMBER: _ClassVar[int]
    scans: _containers.RepeatedCompositeFieldContainer[MarginScan]
    extreme_multiple: float
    extreme_cover: float
    spreads: _containers.RepeatedCompositeFieldContainer[MarginSpread]
    credit_option_value: bool
    def __init__(self, scans: _Optional[_Iterable[_Union[MarginScan, _Mapping]]] = ..., extreme_multiple: _Optional[float] = ..., extreme_cover: _Optional[float] = ..., spreads: _Optional[_Iterable[_Union[MarginSpread, _Mapping]]] = ..., credit_option_value: _Optional[bool] = ...) -> None: ...

class MarginTier(_message.Message):
    __slots__ = ("bound", "rate")
    BOUND_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    bound: float
    rate: float
    def __init__(self, bound: _Optional[float] = ..., rate: _Optional[float] = ...) -> None: ...

class MarginTable(_message.Message):
    __slots__ = ("tiers",)
    TIERS_FIELD_NUMBER: _ClassVar[int]
    tiers: _containers.RepeatedCompositeFieldContainer[MarginTier]
    def __init__(self, tiers: _Optional[_Iterable[_Union[MarginTier, _Mapping]]] = ...) -> None: ...

class TieredMargin(_message.Message):
    __slots__ = ("tables",)
    TABLES_FIELD_NUMBER: _ClassVar[int]
    tables: _containers.RepeatedCompositeFieldContainer[MarginTable]
    def __init__(self, tables: _Optional[_Iterable[_Union[MarginTable, _Mapping]]] = ...) -> None: ...

class CalculateMarginRequest(_message.Message):
    __slots__ = ("book", "accounts", "account", "scan", "tiered", "initial_ratio")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    SCAN_FIELD_NUMBER: _ClassVar[int]
    TIERED_FIELD_NUMBER: _ClassVar[int]
    INITIAL_RATIO_FIELD_NUMBER: _ClassVar[int]
    book: _book_pb2.Book
    accounts: _containers.RepeatedScalarFieldContainer[str]
    account: _containers.RepeatedScalarFieldContainer[int]
    scan: ScanMargin
    tiered: TieredMargin
    initial_ratio: float
    def __init__(self, book: _Optional[_Union[_book_pb2.Book, _Mapping]] = ..., accounts: _Optional[_Iterable[str]] = ..., account: _Optional[_Iterable[int]] = ..., scan: _Optional[_Union[ScanMargin, _Mapping]] = ..., tiered: _Optional[_Union[TieredMargin, _Mapping]] = ..., initial_ratio: _Optional[float] = ...) -> None: ...

class MarginScenario(_message.Message):
    __slots__ = ("index", "spot_move", "volatility_move", "cover", "name")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SPOT_MOVE_FIELD_NUMBER: _ClassVar[int]
    VOLATILITY_MOVE_FIELD_NUMBER: _ClassVar[int]
    COVER_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    index: int
    spot_move: float
    volatility_move: float
    cover: float
    name: str
    def __init__(self, index: _Optional[int] = ..., spot_move: _Optional[float] = ..., volatility_move: _Optional[float] = ..., cover: _Optional[float] = ..., name: _Optional[str] = ...) -> None: ...

class PairMargin(_message.Message):
    __slots__ = ("instrument", "risk", "spread_credit", "short_option_minimum", "worst", "reporting_delta")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    RISK_FIELD_NUMBER: _ClassVar[int]
    SPREAD_CREDIT_FIELD_NUMBER: _ClassVar[int]
    SHORT_OPTION_MINIMUM_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    REPORTING_DELTA_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    risk: float
    spread_credit: float
    short_option_minimum: float
    worst: MarginScenario
    reporting_delta: float
    def __init__(self, instrument: _Optional[str] = ..., risk: _Optional[float] = ..., spread_credit: _Optional[float] = ..., short_option_minimum: _Optional[float] = ..., worst: _Optional[_Union[MarginScenario, _Mapping]] = ..., reporting_delta: _Optional[float] = ...) -> None: ...

class MarginRequirement(_message.Message):
    __slots__ = ("maintenance", "initial", "pairs", "option_value")
    MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    INITIAL_FIELD_NUMBER: _ClassVar[int]
    PAIRS_FIELD_NUMBER: _ClassVar[int]
    OPTION_VALUE_FIELD_NUMBER: _ClassVar[int]
    maintenance: float
    initial: float
    pairs: _containers.RepeatedCompositeFieldContainer[PairMargin]
    option_value: float
    def __init__(self, maintenance: _Optional[float] = ..., initial: _Optional[float] = ..., pairs: _Optional[_Iterable[_Union[PairMargin, _Mapping]]] = ..., option_value: _Optional[float] = ...) -> None: ...

class AccountMargin(_message.Message):
    __slots__ = ("account", "requirement")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REQUIREMENT_FIELD_NUMBER: _ClassVar[int]
    account: str
    requirement: MarginRequirement
    def __init__(self, account: _Optional[str] = ..., requirement: _Optional[_Union[MarginRequirement, _Mapping]] = ...) -> None: ...

class CalculateMarginResponse(_message.Message):
    __slots__ = ("total", "accounts", "gross_maintenance", "netting_benefit", "reporting_currency", "market_date", "rounding_class")
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    GROSS_MAINTENANCE_FIELD_NUMBER: _ClassVar[int]
    NETTING_BENEFIT_FIELD_NUMBER: _ClassVar[int]
    REPORTING_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    MARKET_DATE_FIELD_NUMBER: _ClassVar[int]
    ROUNDING_CLASS_FIELD_NUMBER: _ClassVar[int]
    total: MarginRequirement
    accounts: _containers.RepeatedCompositeFieldContainer[AccountMargin]
    gross_maintenance: float
    netting_benefit: float
    reporting_currency: str
    market_date: _date_pb2.Date
    rounding_class: str
    def __init__(self, total: _Optional[_Union[MarginRequirement, _Mapping]] = ..., accounts: _Optional[_Iterable[_Union[AccountMargin, _Mapping]]] = ..., gross_maintenance: _Optional[float] = ..., netting_benefit: _Optional[float] = ..., reporting_currency: _Optional[str] = ..., market_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., rounding_class: _Optional[str] = ...) -> None: ...
