"""Values of fields that have a list, by their names in FIX 4.4 volume 6."""

from __future__ import annotations

import enum


class Side(enum.StrEnum):
    """Side (54): of the dealt currency, from the sender of the order."""

    BUY = "1"
    SELL = "2"
    BUY_MINUS = "3"
    SELL_PLUS = "4"
    SELL_SHORT = "5"
    SELL_SHORT_EXEMPT = "6"
    UNDISCLOSED = "7"
    CROSS = "8"
    CROSS_SHORT = "9"
    CROSS_SHORT_EXEMPT = "A"
    AS_DEFINED = "B"
    OPPOSITE = "C"
    SUBSCRIBE = "D"
    REDEEM = "E"
    LEND = "F"
    BORROW = "G"


class OrdType(enum.StrEnum):
    """OrdType (40)."""

    MARKET = "1"
    LIMIT = "2"
    STOP = "3"
    STOP_LIMIT = "4"
    WITH_OR_WITHOUT = "6"
    LIMIT_OR_BETTER = "7"
    LIMIT_WITH_OR_WITHOUT = "8"
    ON_BASIS = "9"
    PREVIOUSLY_QUOTED = "D"
    PREVIOUSLY_INDICATED = "E"
    FOREX_SWAP = "G"
    FUNARI = "I"
    MARKET_IF_TOUCHED = "J"
    MARKET_WITH_LEFTOVER_AS_LIMIT = "K"
    PREVIOUS_FUND_VALUATION_POINT = "L"
    NEXT_FUND_VALUATION_POINT = "M"
    PEGGED = "P"


class TimeInForce(enum.StrEnum):
    """TimeInForce (59)."""

    DAY = "0"
    GOOD_TILL_CANCEL = "1"
    AT_THE_OPENING = "2"
    IMMEDIATE_OR_CANCEL = "3"
    FILL_OR_KILL = "4"
    GOOD_TILL_CROSSING = "5"
    GOOD_TILL_DATE = "6"
    AT_THE_CLOSE = "7"


class HandlInst(enum.StrEnum):
    """HandlInst (21)."""

    AUTOMATED_PRIVATE = "1"
    AUTOMATED_PUBLIC = "2"
    MANUAL = "3"


class ExecType(enum.StrEnum):
    """ExecType (150): what an execution report is about."""

    NEW = "0"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    RESTATED = "D"
    PENDING_REPLACE = "E"
    TRADE = "F"
    TRADE_CORRECT = "G"
    TRADE_CANCEL = "H"
    ORDER_STATUS = "I"


class OrdStatus(enum.StrEnum):
    """OrdStatus (39): where the order stands."""

    NEW = "0"
    PARTIALLY_FILLED = "1"
    FILLED = "2"
    DONE_FOR_DAY = "3"
    CANCELED = "4"
    REPLACED = "5"
    PENDING_CANCEL = "6"
    STOPPED = "7"
    REJECTED = "8"
    SUSPENDED = "9"
    PENDING_NEW = "A"
    CALCULATED = "B"
    EXPIRED = "C"
    ACCEPTED_FOR_BIDDING = "D"
    PENDING_REPLACE = "E"


class OrdRejReason(enum.IntEnum):
    """OrdRejReason (103)."""

    BROKER_OPTION = 0
    UNKNOWN_SYMBOL = 1
    EXCHANGE_CLOSED = 2
    ORDER_EXCEEDS_LIMIT = 3
    TOO_LATE_TO_ENTER = 4
    UNKNOWN_ORDER = 5
    DUPLICATE_ORDER = 6
    DUPLICATE_OF_VERBAL_ORDER = 7
    STALE_ORDER = 8
    TRADE_ALONG_REQUIRED = 9
    INVALID_INVESTOR_ID = 10
    UNSUPPORTED_ORDER_CHARACTERISTIC = 11
    SURVEILLANCE_OPTION = 12
    INCORRECT_QUANTITY = 13
    INCORRECT_ALLOCATED_QUANTITY = 14
    UNKNOWN_ACCOUNT = 15
    OTHER = 99


class CxlRejReason(enum.IntEnum):
    """CxlRejReason (102)."""

    TOO_LATE_TO_CANCEL = 0
    UNKNOWN_ORDER = 1
    BROKER_OPTION = 2
    ALREADY_PENDING = 3
    UNABLE_TO_PROCESS_MASS_CANCEL = 4
    ORIG_ORD_MOD_TIME_MISMATCH = 5
    DUPLICATE_CL_ORD_ID = 6
    OTHER = 99


class CxlRejResponseTo(enum.StrEnum):
    """CxlRejResponseTo (434)."""

    CANCEL = "1"
    CANCEL_REPLACE = "2"


class MassCancelType(enum.StrEnum):
    """MassCancelRequestType (530)."""

    SECURITY = "1"
    UNDERLYING = "2"
    PRODUCT = "3"
    CFI_CODE = "4"
    SECURITY_TYPE = "5"
    TRADING_SESSION = "6"
    ALL = "7"


class MassCancelResponse(enum.StrEnum):
    """MassCancelResponse (531): what was accepted, or REJECTED."""

    REJECTED = "0"
    SECURITY = "1"
    UNDERLYING = "2"
    PRODUCT = "3"
    CFI_CODE = "4"
    SECURITY_TYPE = "5"
    TRADING_SESSION = "6"
    ALL = "7"


class MassCancelRejectReason(enum.StrEnum):
    """MassCancelRejectReason (532); one character and "99"."""

    NOT_SUPPORTED = "0"
    UNKNOWN_SECURITY = "1"
    UNKNOWN_UNDERLYING = "2"
    UNKNOWN_PRODUCT = "3"
    UNKNOWN_CFI_CODE = "4"
    UNKNOWN_SECURITY_TYPE = "5"
    UNKNOWN_TRADING_SESSION = "6"
    OTHER = "99"


class MassStatusReqType(enum.IntEnum):
    """MassStatusReqType (585)."""

    SECURITY = 1
    UNDERLYING = 2
    PRODUCT = 3
    CFI_CODE = 4
    SECURITY_TYPE = 5
    TRADING_SESSION = 6
    ALL = 7
    PARTY = 8


class MultiLegReportingType(enum.StrEnum):
    """MultiLegReportingType (442)."""

    SINGLE_SECURITY = "1"
    LEG = "2"
    MULTILEG = "3"


class QuoteType(enum.IntEnum):
    """QuoteType (537)."""

    INDICATIVE = 0
    TRADEABLE = 1
    RESTRICTED_TRADEABLE = 2
    COUNTER = 3


class TradeReportTransType(enum.IntEnum):
    """TradeReportTransType (487)."""

    NEW = 0
    CANCEL = 1
    REPLACE = 2
    RELEASE = 3
    REVERSE = 4


class SubscriptionRequestType(enum.StrEnum):
    """SubscriptionRequestType (263)."""

    SNAPSHOT = "0"
    SUBSCRIBE = "1"
    UNSUBSCRIBE = "2"


class BidType(enum.IntEnum):
    """BidType (394)."""

    NON_DISCLOSED = 1
    DISCLOSED = 2
    NO_BIDDING = 3


class PosReqType(enum.IntEnum):
    """PosReqType (724)."""

    POSITIONS = 0
    TRADES = 1
    EXERCISES = 2
    ASSIGNMENTS = 3


class PosReqResult(enum.IntEnum):
    """PosReqResult (728)."""

    VALID = 0
    UNSUPPORTED = 1
    NO_POSITIONS = 2
    NOT_AUTHORISED = 3
    NOT_SUPPORTED = 4
    OTHER = 99


class PosReqStatus(enum.IntEnum):
    """PosReqStatus (729)."""

    COMPLETED = 0
    COMPLETED_WITH_WARNINGS = 1
    REJECTED = 2


class SettlPriceType(enum.IntEnum):
    """SettlPriceType (731)."""

    FINAL = 1
    THEORETICAL = 2
