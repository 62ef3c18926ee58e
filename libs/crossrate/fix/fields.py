"""The data type of each field that a message of ours names, by its tag."""

from __future__ import annotations

from crossrate.fix import enums
from crossrate.fix.values import (
    BOOLEAN,
    CHAR,
    CURRENCY,
    DATA,
    DATE,
    DECIMAL,
    INT,
    SETTL_TYPE,
    SEVERAL,
    TEXT,
    TIME,
    Kind,
    listed,
)


def _of(kind: Kind, tags: str) -> dict[int, Kind]:
    return {int(tag): kind for tag in tags.split()}


LENGTHS = {95: 96, 354: 355}
"""Fields that tell the length of a data field, and that field."""

FIELDS: dict[int, Kind] = {
    **_of(
        TEXT,
        "1 11 17 19 22 30 37 41 48 55 58 66 69 100 112 117 131 167 198 320 322 336 372 379 390 448 455 456 523 "
        "524 526 535 536 545 553 554 568 571 572 583 584 600 601 602 603 608 609 625 644 654 693 703 707 710 721 790 "
        "880",
    ),
    **_of(CHAR, "433 447 525"),
    **_of(
        INT,
        "7 16 36 45 67 68 98 108 323 371 373 378 380 383 393 452 460 533 538 559 560 569 581 607 694 706 727 748 749 "
        "750 789 803 805 828 851 856 911",
    ),
    **_of(
        DECIMAL,
        "6 12 14 31 32 38 44 99 110 111 118 119 132 133 134 135 151 152 188 189 190 191 192 194 195 210 "
        "211 381 561 562 566 612 623 637 641 642 643 687 704 705 708 730 734",
    ),
    **_of(BOOLEAN, "123 141 325 464 570 797 893 912"),
    **_of(TIME, "60 62 126 168"),
    **_of(DATE, "64 75 193 432 588 611 715"),
    **_of(SEVERAL, "18"),
    **_of(CURRENCY, "15 120 556"),
    **_of(SETTL_TYPE, "63 587"),
    **_of(DATA, "96 355"),
    21: listed(enums.HandlInst),
    39: listed(enums.OrdStatus),
    40: listed(enums.OrdType),
    54: listed(enums.Side),
    59: listed(enums.TimeInForce),
    102: listed(enums.CxlRejReason),
    103: listed(enums.OrdRejReason),
    150: listed(enums.ExecType),
    263: listed(enums.SubscriptionRequestType),
    394: listed(enums.BidType),
    434: listed(enums.CxlRejResponseTo),
    442: listed(enums.MultiLegReportingType),
    487: listed(enums.TradeReportTransType),
    530: listed(enums.MassCancelType),
    531: listed(enums.MassCancelResponse),
    532: listed(enums.MassCancelRejectReason),
    537: listed(enums.QuoteType),
    585: listed(enums.MassStatusReqType),
    624: listed(enums.Side),
    724: listed(enums.PosReqType),
    728: listed(enums.PosReqResult),
    729: listed(enums.PosReqStatus),
    731: listed(enums.SettlPriceType),
}
