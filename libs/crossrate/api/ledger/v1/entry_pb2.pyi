import datetime

from crossrate.api.policy.v1 import policy_pb2 as _policy_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.type import date_pb2 as _date_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class LedgerKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    LEDGER_KIND_UNSPECIFIED: _ClassVar[LedgerKind]
    LEDGER_KIND_CASH: _ClassVar[LedgerKind]
    LEDGER_KIND_POSITION: _ClassVar[LedgerKind]
    LEDGER_KIND_CLEARING: _ClassVar[LedgerKind]

class Purpose(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PURPOSE_UNSPECIFIED: _ClassVar[Purpose]
    PURPOSE_DEAL: _ClassVar[Purpose]
    PURPOSE_REALISED: _ClassVar[Purpose]
    PURPOSE_COMMISSION: _ClassVar[Purpose]
    PURPOSE_FINANCING: _ClassVar[Purpose]
    PURPOSE_DEPOSIT: _ClassVar[Purpose]
    PURPOSE_WITHDRAWAL: _ClassVar[Purpose]
    PURPOSE_ROLL: _ClassVar[Purpose]
    PURPOSE_ADJUSTMENT: _ClassVar[Purpose]

class EntryKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ENTRY_KIND_UNSPECIFIED: _ClassVar[EntryKind]
    ENTRY_KIND_TRADE: _ClassVar[EntryKind]
    ENTRY_KIND_TRADE_CANCEL: _ClassVar[EntryKind]
    ENTRY_KIND_TRADE_CORRECT: _ClassVar[EntryKind]
    ENTRY_KIND_DEPOSIT: _ClassVar[EntryKind]
    ENTRY_KIND_WITHDRAWAL: _ClassVar[EntryKind]
    ENTRY_KIND_ROLL: _ClassVar[EntryKind]
    ENTRY_KIND_REVERSAL: _ClassVar[EntryKind]
    ENTRY_KIND_ADJUSTMENT: _ClassVar[EntryKind]
    ENTRY_KIND_ALLOCATION: _ClassVar[EntryKind]
LEDGER_KIND_UNSPECIFIED: LedgerKind
LEDGER_KIND_CASH: LedgerKind
LEDGER_KIND_POSITION: LedgerKind
LEDGER_KIND_CLEARING: LedgerKind
PURPOSE_UNSPECIFIED: Purpose
PURPOSE_DEAL: Purpose
PURPOSE_REALISED: Purpose
PURPOSE_COMMISSION: Purpose
PURPOSE_FINANCING: Purpose
PURPOSE_DEPOSIT: Purpose
PURPOSE_WITHDRAWAL: Purpose
PURPOSE_ROLL: Purpose
PURPOSE_ADJUSTMENT: Purpose
ENTRY_KIND_UNSPECIFIED: EntryKind
ENTRY_KIND_TRADE: EntryKind
ENTRY_KIND_TRADE_CANCEL: EntryKind
ENTRY_KIND_TRADE_CORRECT: EntryKind
ENTRY_KIND_DEPOSIT: EntryKind
ENTRY_KIND_WITHDRAWAL: EntryKind
ENTRY_KIND_ROLL: EntryKind
ENTRY_KIND_REVERSAL: EntryKind
ENTRY_KIND_ADJUSTMENT: EntryKind
ENTRY_KIND_ALLOCATION: EntryKind

class Posting(_message.Message):
    __slots__ = ("ledger", "currency", "amount", "value_date", "purpose", "instrument", "position_id", "counterparty")
    LEDGER_FIELD_NUMBER: _ClassVar[int]
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTERPARTY_FIELD_NUMBER: _ClassVar[int]
    ledger: LedgerKind
    currency: str
    amount: str
    value_date: _date_pb2.Date
    purpose: Purpose
    instrument: str
    position_id: str
    counterparty: str
    def __init__(self, ledger: _Optional[_Union[LedgerKind, str]] = ..., currency: _Optional[str] = ..., amount: _Optional[str] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., purpose: _Optional[_Union[Purpose, str]] = ..., instrument: _Optional[str] = ..., position_id: _Optional[str] = ..., counterparty: _Optional[str] = ...) -> None: ...

class Deal(_message.Message):
    __slots__ = ("quantity", "price", "value_date")
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    VALUE_DATE_FIELD_NUMBER: _ClassVar[int]
    quantity: str
    price: str
    value_date: _date_pb2.Date
    def __init__(self, quantity: _Optional[str] = ..., price: _Optional[str] = ..., value_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class Trade(_message.Message):
    __slots__ = ("trade_id", "counterparty", "instrument", "position_id", "deals", "commission", "commission_currency", "trade_date")
    TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTERPARTY_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    DEALS_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_FIELD_NUMBER: _ClassVar[int]
    COMMISSION_CURRENCY_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    trade_id: str
    counterparty: str
    instrument: str
    position_id: str
    deals: _containers.RepeatedCompositeFieldContainer[Deal]
    commission: str
    commission_currency: str
    trade_date: _date_pb2.Date
    def __init__(self, trade_id: _Optional[str] = ..., counterparty: _Optional[str] = ..., instrument: _Optional[str] = ..., position_id: _Optional[str] = ..., deals: _Optional[_Iterable[_Union[Deal, _Mapping]]] = ..., commission: _Optional[str] = ..., commission_currency: _Optional[str] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ...) -> None: ...

class FinancingLine(_message.Message):
    __slots__ = ("instrument", "position_id", "quantity", "from_date", "to_date", "days", "points", "amount", "source")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    POSITION_ID_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    position_id: str
    quantity: str
    from_date: _date_pb2.Date
    to_date: _date_pb2.Date
    days: int
    points: str
    amount: str
    source: str
    def __init__(self, instrument: _Optional[str] = ..., position_id: _Optional[str] = ..., quantity: _Optional[str] = ..., from_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., to_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., days: _Optional[int] = ..., points: _Optional[str] = ..., amount: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class Entry(_message.Message):
    __slots__ = ("sequence", "account", "kind", "reference", "postings", "trade", "cancelled_trade_id", "execution_sequence", "financing", "trade_date", "reverses", "entered_by", "approved_by", "text", "time")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ACCOUNT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    POSTINGS_FIELD_NUMBER: _ClassVar[int]
    TRADE_FIELD_NUMBER: _ClassVar[int]
    CANCELLED_TRADE_ID_FIELD_NUMBER: _ClassVar[int]
    EXECUTION_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    FINANCING_FIELD_NUMBER: _ClassVar[int]
    TRADE_DATE_FIELD_NUMBER: _ClassVar[int]
    REVERSES_FIELD_NUMBER: _ClassVar[int]
    ENTERED_BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    account: str
    kind: EntryKind
    reference: str
    postings: _containers.RepeatedCompositeFieldContainer[Posting]
    trade: Trade
    cancelled_trade_id: str
    execution_sequence: int
    financing: _containers.RepeatedCompositeFieldContainer[FinancingLine]
    trade_date: _date_pb2.Date
    reverses: int
    entered_by: str
    approved_by: str
    text: str
    time: _timestamp_pb2.Timestamp
    def __init__(self, sequence: _Optional[int] = ..., account: _Optional[str] = ..., kind: _Optional[_Union[EntryKind, str]] = ..., reference: _Optional[str] = ..., postings: _Optional[_Iterable[_Union[Posting, _Mapping]]] = ..., trade: _Optional[_Union[Trade, _Mapping]] = ..., cancelled_trade_id: _Optional[str] = ..., execution_sequence: _Optional[int] = ..., financing: _Optional[_Iterable[_Union[FinancingLine, _Mapping]]] = ..., trade_date: _Optional[_Union[_date_pb2.Date, _Mapping]] = ..., reverses: _Optional[int] = ..., entered_by: _Optional[str] = ..., approved_by: _Optional[str] = ..., text: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
