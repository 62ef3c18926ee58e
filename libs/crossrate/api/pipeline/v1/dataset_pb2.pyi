import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Decision(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DECISION_UNSPECIFIED: _ClassVar[Decision]
    DECISION_LOAD: _ClassVar[Decision]
    DECISION_QUARANTINE: _ClassVar[Decision]

class DatasetKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DATASET_KIND_UNSPECIFIED: _ClassVar[DatasetKind]
    DATASET_KIND_QUOTES: _ClassVar[DatasetKind]
    DATASET_KIND_BARS: _ClassVar[DatasetKind]
DECISION_UNSPECIFIED: Decision
DECISION_LOAD: Decision
DECISION_QUARANTINE: Decision
DATASET_KIND_UNSPECIFIED: DatasetKind
DATASET_KIND_QUOTES: DatasetKind
DATASET_KIND_BARS: DatasetKind

class Dataset(_message.Message):
    __slots__ = ("name", "venue", "instruments", "files", "lines_in", "rows_out", "rejected", "first_time", "last_time", "digest", "job_id", "specification_digest", "update_time", "kind")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VENUE_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENTS_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    LINES_IN_FIELD_NUMBER: _ClassVar[int]
    ROWS_OUT_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    name: str
    venue: str
    instruments: _containers.RepeatedScalarFieldContainer[str]
    files: int
    lines_in: int
    rows_out: int
    rejected: int
    first_time: _timestamp_pb2.Timestamp
    last_time: _timestamp_pb2.Timestamp
    digest: str
    job_id: str
    specification_digest: str
    update_time: _timestamp_pb2.Timestamp
    kind: DatasetKind
    def __init__(self, name: _Optional[str] = ..., venue: _Optional[str] = ..., instruments: _Optional[_Iterable[str]] = ..., files: _Optional[int] = ..., lines_in: _Optional[int] = ..., rows_out: _Optional[int] = ..., rejected: _Optional[int] = ..., first_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., digest: _Optional[str] = ..., job_id: _Optional[str] = ..., specification_digest: _Optional[str] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., kind: _Optional[_Union[DatasetKind, str]] = ...) -> None: ...

class DatasetFile(_message.Message):
    __slots__ = ("digest", "uri", "job_id", "specification_digest", "lines", "rows", "rejected", "load_time", "spans")
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    SPECIFICATION_DIGEST_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    LOAD_TIME_FIELD_NUMBER: _ClassVar[int]
    SPANS_FIELD_NUMBER: _ClassVar[int]
    digest: str
    uri: str
    job_id: str
    specification_digest: str
    lines: int
    rows: int
    rejected: int
    load_time: _timestamp_pb2.Timestamp
    spans: _containers.RepeatedCompositeFieldContainer[DatasetSpan]
    def __init__(self, digest: _Optional[str] = ..., uri: _Optional[str] = ..., job_id: _Optional[str] = ..., specification_digest: _Optional[str] = ..., lines: _Optional[int] = ..., rows: _Optional[int] = ..., rejected: _Optional[int] = ..., load_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., spans: _Optional[_Iterable[_Union[DatasetSpan, _Mapping]]] = ...) -> None: ...

class DatasetSpan(_message.Message):
    __slots__ = ("instrument", "rows", "first_time", "last_time")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    rows: int
    first_time: _timestamp_pb2.Timestamp
    last_time: _timestamp_pb2.Timestamp
    def __init__(self, instrument: _Optional[str] = ..., rows: _Optional[int] = ..., first_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DatasetSample(_message.Message):
    __slots__ = ("instrument", "first", "last")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    first: _containers.RepeatedCompositeFieldContainer[SampleRow]
    last: _containers.RepeatedCompositeFieldContainer[SampleRow]
    def __init__(self, instrument: _Optional[str] = ..., first: _Optional[_Iterable[_Union[SampleRow, _Mapping]]] = ..., last: _Optional[_Iterable[_Union[SampleRow, _Mapping]]] = ...) -> None: ...

class SampleRow(_message.Message):
    __slots__ = ("venue_time", "bid", "ask", "bid_quantity", "ask_quantity", "flags", "close_time")
    VENUE_TIME_FIELD_NUMBER: _ClassVar[int]
    BID_FIELD_NUMBER: _ClassVar[int]
    ASK_FIELD_NUMBER: _ClassVar[int]
    BID_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    ASK_QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    CLOSE_TIME_FIELD_NUMBER: _ClassVar[int]
    venue_time: _timestamp_pb2.Timestamp
    bid: float
    ask: float
    bid_quantity: float
    ask_quantity: float
    flags: int
    close_time: _timestamp_pb2.Timestamp
    def __init__(self, venue_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., bid: _Optional[float] = ..., ask: _Optional[float] = ..., bid_quantity: _Optional[float] = ..., ask_quantity: _Optional[float] = ..., flags: _Optional[int] = ..., close_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Vacuum(_message.Message):
    __slots__ = ("time", "min_age", "files", "bytes", "kept", "error")
    TIME_FIELD_NUMBER: _ClassVar[int]
    MIN_AGE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    KEPT_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_NUMBER: _ClassVar[int]
    time: _timestamp_pb2.Timestamp
    min_age: _duration_pb2.Duration
    files: int
    bytes: int
    kept: int
    error: str
    def __init__(self, time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., min_age: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., files: _Optional[int] = ..., bytes: _Optional[int] = ..., kept: _Optional[int] = ..., error: _Optional[str] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("rule", "figure", "limit", "holds")
    RULE_FIELD_NUMBER: _ClassVar[int]
    FIGURE_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FIELD_NUMBER: _ClassVar[int]
    rule: str
    figure: float
    limit: float
    holds: bool
    def __init__(self, rule: _Optional[str] = ..., figure: _Optional[float] = ..., limit: _Optional[float] = ..., holds: _Optional[bool] = ...) -> None: ...

class Gap(_message.Message):
    __slots__ = ("begin_time", "end_time", "open_duration")
    BEGIN_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    OPEN_DURATION_FIELD_NUMBER: _ClassVar[int]
    begin_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    open_duration: _duration_pb2.Duration
    def __init__(self, begin_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., open_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class QualityReport(_message.Message):
    __slots__ = ("file_ordinal", "uri", "instrument", "rows", "first_time", "last_time", "crossed", "locked", "duplicates", "out_of_order", "outliers", "closed", "leaps", "one_sided", "gaps", "gap_open_duration", "longest_gaps", "spread_median", "spread_p95", "rejected", "findings", "decision", "job_id", "bar_comparison")
    FILE_ORDINAL_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    FIRST_TIME_FIELD_NUMBER: _ClassVar[int]
    LAST_TIME_FIELD_NUMBER: _ClassVar[int]
    CROSSED_FIELD_NUMBER: _ClassVar[int]
    LOCKED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    OUT_OF_ORDER_FIELD_NUMBER: _ClassVar[int]
    OUTLIERS_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    LEAPS_FIELD_NUMBER: _ClassVar[int]
    ONE_SIDED_FIELD_NUMBER: _ClassVar[int]
    GAPS_FIELD_NUMBER: _ClassVar[int]
    GAP_OPEN_DURATION_FIELD_NUMBER: _ClassVar[int]
    LONGEST_GAPS_FIELD_NUMBER: _ClassVar[int]
    SPREAD_MEDIAN_FIELD_NUMBER: _ClassVar[int]
    SPREAD_P95_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    DECISION_FIELD_NUMBER: _ClassVar[int]
    JOB_ID_FIELD_NUMBER: _ClassVar[int]
    BAR_COMPARISON_FIELD_NUMBER: _ClassVar[int]
    file_ordinal: int
    uri: str
    instrument: str
    rows: int
    first_time: _timestamp_pb2.Timestamp
    last_time: _timestamp_pb2.Timestamp
    crossed: int
    locked: int
    duplicates: int
    out_of_order: int
    outliers: int
    closed: int
    leaps: int
    one_sided: int
    gaps: int
    gap_open_duration: _duration_pb2.Duration
    longest_gaps: _containers.RepeatedCompositeFieldContainer[Gap]
    spread_median: float
    spread_p95: float
    rejected: int
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    decision: Decision
    job_id: str
    bar_comparison: BarComparison
    def __init__(self, file_ordinal: _Optional[int] = ..., uri: _Optional[str] = ..., instrument: _Optional[str] = ..., rows: _Optional[int] = ..., first_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., last_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., crossed: _Optional[int] = ..., locked: _Optional[int] = ..., duplicates: _Optional[int] = ..., out_of_order: _Optional[int] = ..., outliers: _Optional[int] = ..., closed: _Optional[int] = ..., leaps: _Optional[int] = ..., one_sided: _Optional[int] = ..., gaps: _Optional[int] = ..., gap_open_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., longest_gaps: _Optional[_Iterable[_Union[Gap, _Mapping]]] = ..., spread_median: _Optional[float] = ..., spread_p95: _Optional[float] = ..., rejected: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., decision: _Optional[_Union[Decision, str]] = ..., job_id: _Optional[str] = ..., bar_comparison: _Optional[_Union[BarComparison, _Mapping]] = ...) -> None: ...

class BarComparison(_message.Message):
    __slots__ = ("reference", "compared", "equal", "without_quotes", "missing", "difference_median_pips", "difference_p95_pips", "difference_max_pips")
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    COMPARED_FIELD_NUMBER: _ClassVar[int]
    EQUAL_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_QUOTES_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_MEDIAN_PIPS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_P95_PIPS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCE_MAX_PIPS_FIELD_NUMBER: _ClassVar[int]
    reference: str
    compared: int
    equal: int
    without_quotes: int
    missing: int
    difference_median_pips: float
    difference_p95_pips: float
    difference_max_pips: float
    def __init__(self, reference: _Optional[str] = ..., compared: _Optional[int] = ..., equal: _Optional[int] = ..., without_quotes: _Optional[int] = ..., missing: _Optional[int] = ..., difference_median_pips: _Optional[float] = ..., difference_p95_pips: _Optional[float] = ..., difference_max_pips: _Optional[float] = ...) -> None: ...

class RejectedRow(_message.Message):
    __slots__ = ("file_ordinal", "member", "line", "text", "reason")
    FILE_ORDINAL_FIELD_NUMBER: _ClassVar[int]
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    LINE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    file_ordinal: int
    member: str
    line: int
    text: str
    reason: str
    def __init__(self, file_ordinal: _Optional[int] = ..., member: _Optional[str] = ..., line: _Optional[int] = ..., text: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
