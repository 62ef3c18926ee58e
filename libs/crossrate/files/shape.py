"""The shape of a vendor's files, declared: what stands in which column, by which clock, and in which unit."""

from __future__ import annotations

import enum
import re
from functools import cached_property
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from crossrate.basics.currency import CURRENCIES
from crossrate.files.stamps import EPOCHS, layout_of
from crossrate.ticks.clock import Clock


class Kind(enum.StrEnum):
    """What a row is."""

    QUOTES = "quotes"
    BARS = "bars"


class Container(enum.StrEnum):
    """How rows are kept; compression is seen from the file itself."""

    TEXT = "text"
    PARQUET = "parquet"
    BI5 = "bi5"


class Role(enum.StrEnum):
    """What a column means."""

    TIME = "time"
    DATE = "date"
    INSTRUMENT = "instrument"
    SEQUENCE = "sequence"
    BID = "bid"
    ASK = "ask"
    BID_QUANTITY = "bid_quantity"
    ASK_QUANTITY = "ask_quantity"
    OPEN = "open"
    HIGH = "high"
    LOW = "low"
    CLOSE = "close"
    BID_OPEN = "bid_open"
    BID_HIGH = "bid_high"
    BID_LOW = "bid_low"
    BID_CLOSE = "bid_close"
    ASK_OPEN = "ask_open"
    ASK_HIGH = "ask_high"
    ASK_LOW = "ask_low"
    ASK_CLOSE = "ask_close"
    VOLUME = "volume"
    IGNORE = "ignore"


ONE_SIDE = (Role.OPEN, Role.HIGH, Role.LOW, Role.CLOSE)
BID_SIDE = (Role.BID_OPEN, Role.BID_HIGH, Role.BID_LOW, Role.BID_CLOSE)
ASK_SIDE = (Role.ASK_OPEN, Role.ASK_HIGH, Role.ASK_LOW, Role.ASK_CLOSE)
PRICES = frozenset((Role.BID, Role.ASK, *ONE_SIDE, *BID_SIDE, *ASK_SIDE))
QUANTITIES = frozenset((Role.BID_QUANTITY, Role.ASK_QUANTITY, Role.VOLUME))
OPTIONAL = QUANTITIES | {Role.SEQUENCE, Role.INSTRUMENT}
"""Columns that a file with a header may lack."""

NAMES: dict[Role, tuple[str, ...]] = {
    Role.TIME: ("time", "timestamp", "datetime", "gmttime", "localtime", "timeutc", "utc", "venuetime", "date"),
    Role.INSTRUMENT: ("instrument", "symbol", "pair", "ticker"),
    Role.SEQUENCE: ("sequence", "seq"),
    Role.BID: ("bid", "bidprice", "bidclose"),
    Role.ASK: ("ask", "askprice", "offer", "askclose"),
    Role.BID_QUANTITY: ("bidquantity", "bidvolume", "bidsize"),
    Role.ASK_QUANTITY: ("askquantity", "askvolume", "asksize"),
    Role.VOLUME: ("volume", "tickvol", "tickvolume", "vol", "tickqty"),
}
"""Names of columns in headers, in lower case without anything but letters and digits; of other roles their own."""


def plain(name: str) -> str:
    """A column's name as headers are compared: "<BID>", "Bid" and "bid " are one."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


class Column(BaseModel):
    """One column.

    Attributes:
        role: what it means.
        names: its names in a header, beside those that everybody uses.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    role: Role
    names: tuple[str, ...] = ()

    def answers_to(self, name: str) -> bool:
        """Whether a header means this column."""
        known = NAMES.get(self.role, (plain(self.role),))
        return plain(name) in {*map(plain, self.names), *known, plain(self.role)}


class Header(enum.StrEnum):
    """Whether the first line names the columns; EITHER looks whether it begins with a time."""

    NONE = "none"
    PRESENT = "present"
    EITHER = "either"


class Side(enum.StrEnum):
    """Which price bars of one side are of."""

    BID = "bid"
    ASK = "ask"
    MID = "mid"


class Stamp(enum.StrEnum):
    """Whether a bar carries the time of its begin or of its end."""

    BEGIN = "begin"
    END = "end"


class Shape(BaseModel):
    """How a vendor writes its files. All of it is data: a shape of your own is a table in a job's file."""

    model_config = ConfigDict(extra="forbid", frozen=True, ignored_types=(cached_property,))

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_]{1,40}$")
    title: str = ""
    source: str = Field("", description="where the vendor or others describe it")
    container: Container = Container.TEXT
    kind: Kind = Kind.QUOTES
    columns: tuple[Column, ...] = Field(min_length=1, max_length=64)
    delimiter: str = Field(",", min_length=1, max_length=1)
    decimal_mark: str = Field(".", pattern=r"^[.,]$")
    header: Header = Header.NONE
    times: tuple[str, ...] = Field(
        description="formats of the time column; of the time of day if there is a date column"
    )
    dates: tuple[str, ...] = Field((), description="formats of the date column")
    clock: str = Field("UTC", description="UTC, UTC-05:00, Europe/Athens, America/New_York+07:00")
    file_name: str = Field("", description="pattern of a name, with groups instrument and date where the name has them")
    members: str = Field(r".*\.(csv|txt)", description="pattern of the members of an archive that hold rows")
    price_digits: int = Field(0, ge=0, le=9, description="prices are integer points of 10 to the minus this")
    price_digits_of: dict[str, int] = Field(default_factory=dict, description="the same by counter currency")
    quantity_unit: float = Field(1.0, gt=0, description="what a quantity of 1 is, in base currency")
    symbols: dict[str, str] = Field(default_factory=dict, description="instruments by the vendor's name")
    carry: bool = Field(False, description="an empty price repeats the one before, as where only changes are written")
    interval_s: int | None = Field(None, gt=0, description="length of a bar; taken from the rows if it is not declared")
    side: Side = Side.BID
    stamp: Stamp = Stamp.BEGIN

    @field_validator("clock")
    @classmethod
    def _clock_is_known(cls, value: str) -> str:
        Clock.parse(value)
        return value

    @field_validator("times", "dates")
    @classmethod
    def _formats_can_be_read(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for form in value:
            if form not in EPOCHS:
                layout_of(form, 0)
        if len(value) > 1 and any(form in EPOCHS for form in value):
            raise ValueError("a time that is a number has one format")
        return value

    @field_validator("file_name", "members")
    @classmethod
    def _pattern_compiles(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"is no regular expression: {error}") from error
        return value

    @model_validator(mode="after")
    def _columns_suffice(self) -> Self:
        roles = [column.role for column in self.columns if column.role is not Role.IGNORE]
        twice = {role for role in roles if roles.count(role) > 1}
        if twice:
            raise ValueError(f"columns: {sorted(twice)[0]} stands twice")
        wanted = {Role.TIME} | ({Role.DATE} if self.dates else set())
        missing = sorted(wanted - set(roles))
        if missing:
            raise ValueError(f"columns: {missing[0]} is missing")
        if self.kind is Kind.QUOTES and not {Role.BID, Role.ASK} <= set(roles):
            raise ValueError("columns: quotes need bid and ask")
        sides = [side for side in (ONE_SIDE, BID_SIDE, ASK_SIDE) if set(side) <= set(roles)]
        if self.kind is Kind.BARS and not sides:
            raise ValueError("columns: bars need open, high, low and close, or those of bid and ask")
        if not self.times or (Role.DATE in roles and not self.dates):
            raise ValueError("times (and dates, for a date column) need a format")
        if self.delimiter == self.decimal_mark:
            raise ValueError("delimiter and decimal_mark are the same")
        return self

    @cached_property
    def roles(self) -> tuple[Role, ...]:
        """The role of each column."""
        return tuple(column.role for column in self.columns)

    def digits(self, instrument: str | None) -> int:
        """How many digits of an integer price stand behind the point; 0 if prices are written as such."""
        counter = (instrument or "").rpartition("/")[2]
        return self.price_digits_of.get(counter, self.price_digits)

    def instrument(self, name: str) -> str:
        """The platform's name of what a vendor calls `name`: EURUSD, eurusd, EUR_USD and EUR/USD are EUR/USD.

        Raises:
            ValueError: it is no pair, and `symbols` does not have it.
        """
        if name in self.symbols:
            return self.symbols[name]
        letters = re.sub(r"[^A-Z]", "", name.upper())
        base, counter = letters[:3], letters[3:]
        if base in CURRENCIES and counter in CURRENCIES and base != counter:
            return f"{base}/{counter}"
        raise ValueError(f"{name!r} is no pair of the platform's currencies; name it in the shape's `symbols`")
