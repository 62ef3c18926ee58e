from buf.validate import validate_pb2 as _validate_pb2
from crossrate.api.ledger.v1 import correction_pb2 as _correction_pb2
from crossrate.api.ledger.v1 import entry_pb2 as _entry_pb2
from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.api import annotations_pb2 as _annotations_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class DepositRequest(_message.Message):
    __slots__ = ("request_id", "account", "currency", "amount", "value_date", "text", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    currency: str
    amount: str
    value_date: _date_pb2.Date
    text: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., currency: _Optional[str] = ..., amount: _Optional[str] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., text: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class DepositResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: _entry_pb2.Entry
    def __init__(self, entry: _Optional[_Union[_entry_pb2.Entry, _Mapping]] = ...) -> None: ...

class WithdrawRequest(_message.Message):
    __slots__ = ("request_id", "account", "currency", "amount", "text", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    currency: str
    amount: str
    text: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., currency: _Optional[str] = ..., amount: _Optional[str] = ..., text: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class WithdrawResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: _entry_pb2.Entry
    def __init__(self, entry: _Optional[_Union[_entry_pb2.Entry, _Mapping]] = ...) -> None: ...

class ProposeCorrectionRequest(_message.Message):
    __slots__ = ("request_id", "account", "reverses", "adjustment", "reason", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    REVERSES_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    reverses: int
    adjustment: _correction_pb2.Adjustment
    reason: str
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., reverses: _Optional[int] = ..., adjustment: _Optional[_Union[_correction_pb2.Adjustment, _Mapping]] = ..., reason: _Optional[str] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class ProposeCorrectionResponse(_message.Message):
    __slots__ = ("correction",)
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    correction: _correction_pb2.Correction
    def __init__(self, correction: _Optional[_Union[_correction_pb2.Correction, _Mapping]] = ...) -> None: ...

class ApproveCorrectionRequest(_message.Message):
    __slots__ = ("request_id", "correction_id", "reject")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CORRECTION_ID_FIELD_NUMBER: _ClassVar[int]
    REJECT_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    correction_id: str
    reject: bool
    def __init__(self, request_id: _Optional[str] = ..., correction_id: _Optional[str] = ..., reject: _Optional[bool] = ...) -> None: ...

class ApproveCorrectionResponse(_message.Message):
    __slots__ = ("correction", "entry")
    CORRECTION_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    correction: _correction_pb2.Correction
    entry: _entry_pb2.Entry
    def __init__(self, correction: _Optional[_Union[_correction_pb2.Correction, _Mapping]] = ..., entry: _Optional[_Union[_entry_pb2.Entry, _Mapping]] = ...) -> None: ...

class ListCorrectionsRequest(_message.Message):
    __slots__ = ("account", "proposed")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    account: str
    proposed: bool
    def __init__(self, account: _Optional[str] = ..., proposed: _Optional[bool] = ...) -> None: ...

class ListCorrectionsResponse(_message.Message):
    __slots__ = ("corrections",)
    CORRECTIONS_FIELD_NUMBER: _ClassVar[int]
    corrections: _containers.RepeatedCompositeFieldContainer[_correction_pb2.Correction]
    def __init__(self, corrections: _Optional[_Iterable[_Union[_correction_pb2.Correction, _Mapping]]] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("account", "quantity")
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    account: str
    quantity: str
    def __init__(self, account: _Optional[str] = ..., quantity: _Optional[str] = ...) -> None: ...

class AllocateBlockRequest(_message.Message):
    __slots__ = ("request_id", "account", "trade_id", "shares", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    account: str
    trade_id: str
    shares: _containers.RepeatedCompositeFieldContainer[Share]
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., account: _Optional[str] = ..., trade_id: _Optional[str] = ..., shares: _Optional[_Iterable[_Union[Share, _Mapping]]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class AllocateBlockResponse(_message.Message):
    __slots__ = ("entries", "unallocated")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    UNALLOCATED_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_entry_pb2.Entry]
    unallocated: str
    def __init__(self, entries: _Optional[_Iterable[_Union[_entry_pb2.Entry, _Mapping]]] = ..., unallocated: _Optional[str] = ...) -> None: ...

class RollDayRequest(_message.Message):
    __slots__ = ("request_id", "trade_date", "validate_only")
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    VALIDATE_ONLY_FIELD_NUMBER: _ClassVar[int]
    request_id: str
    trade_date: _date_pb2.Date
    validate_only: bool
    def __init__(self, request_id: _Optional[str] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., validate_only: _Optional[bool] = ...) -> None: ...

class RollDayResponse(_message.Message):
    __slots__ = ("accounts", "positions", "missing", "totals")
    ACCOUNTS_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    TOTALS_FIELD_NUMBER: _ClassVar[int]
    accounts: int
    positions: int
    missing: _containers.RepeatedScalarFieldContainer[str]
    totals: _containers.RepeatedCompositeFieldContainer[FinancingTotal]
    def __init__(self, accounts: _Optional[int] = ..., positions: _Optional[int] = ..., missing: _Optional[_Iterable[str]] = ..., totals: _Optional[_Iterable[_Union[FinancingTotal, _Mapping]]] = ...) -> None: ...

class FinancingTotal(_message.Message):
    __slots__ = ("currency", "amount")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    currency: str
    amount: str
    def __init__(self, currency: _Optional[str] = ..., amount: _Optional[str] = ...) -> None: ...

class VerifyBooksRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class VerifyBooksResponse(_message.Message):
    __slots__ = ("entries", "postings", "books", "journal_digest", "books_digest", "differences")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    POSTINGS_FIELD_NUMBER: _ClassVar[int]
    BOOKS_FIELD_NUMBER: _ClassVar[int]
    JOURNAL_DIGEST_FIELD_NUMBER: _ClassVar[int]
    BOOKS_DIGEST_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    entries: int
    postings: int
    books: int
    journal_digest: str
    books_digest: str
    differences: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, entries: _Optional[int] = ..., postings: _Optional[int] = ..., books: _Optional[int] = ..., journal_digest: _Optional[str] = ..., books_digest: _Optional[str] = ..., differences: _Optional[_Iterable[str]] = ...) -> None: ...
