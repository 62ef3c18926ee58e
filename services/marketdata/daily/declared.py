"""A daily file as `mesh/feeds.toml` declares it: where it stands, and what its columns mean."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

ECB = "ecb"
"""The source that is always there, and is meant where none is named."""

Code = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Column = Annotated[str, Field(min_length=1, max_length=100)]
MISSING = ("", "-", ".", "N/A", "NA", "n/a", "null", "NaN", "nan")


class DailyFile(BaseModel):
    """One file of daily rates, CSV or Parquet, also as .gz, .zst or .zip with one member."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: str = Field(min_length=1, max_length=1000)
    """Relative to the folder of the feeds' file."""
    layout: Literal["wide", "long"]
    """Wide: a line a day with a column a currency, all against `base`. Long: a line a day and pair."""
    description: str = Field(default="", max_length=200)
    """Where the rates come from, in words; empty: the path."""
    base: Code | None = None
    """The currency that rates are against, and through which crosses go. A wide file needs it; of a long one it is the
    currency that all pairs share, and has to be named where they share none."""
    per: Literal["base", "currency"] = "base"
    """A wide file's rates are units of the column's currency per unit of `base`, or the reverse."""
    units: dict[Code, Annotated[float, Field(gt=0, le=1e6)]] = {}
    """With `per = "currency"`: rates that are for more than one unit of it, as JPY = 100."""
    columns: dict[Column, Code] = Field(default={}, max_length=400)
    """Currencies of a wide file's columns whose names are no codes."""
    ignore: tuple[Column, ...] = Field(default=(), max_length=400)
    """Columns of a wide file that are no rates."""
    date_column: Column = "date"
    date_format: str = Field(default="%Y-%m-%d", min_length=2, max_length=40)
    """As in strptime."""
    pair_column: Column = "pair"
    base_column: Column = "base"
    counter_column: Column = "counter"
    rate_column: Column = "rate"
    bid_column: Column = "bid"
    ask_column: Column = "ask"
    """Of a long file: a pair or its two currencies; a rate, or bid and ask with their middle as the rate, or all
    three."""
    delimiter: str = Field(default=",", min_length=1, max_length=1)
    decimal: Literal[".", ","] = "."
    skip_lines: int = Field(default=0, ge=0, le=1000)
    """Lines before the one with the names of the columns."""
    missing: tuple[str, ...] = Field(default=MISSING, max_length=50)
    """Cells that say that there is no rate."""
    bad_rows_max: int = Field(default=0, ge=0, le=10_000)
    """Lines that may be refused while the others are taken; with more of them the file changes nothing."""

    @field_validator("date_format")
    @classmethod
    def _says_a_day(cls, value: str) -> str:
        if not all(any(f"%{letter}" in value for letter in letters) for letters in ("Yy", "mbB", "d")):
            raise ValueError('it says year, month and day, as in "%d.%m.%Y"')
        return value

    @model_validator(mode="after")
    def _fits_its_layout(self) -> Self:
        if self.layout == "wide" and self.base is None:
            raise ValueError("a wide file needs `base`: the currency that its columns are against")
        if self.layout == "long" and (self.columns or self.ignore or self.units or self.per != "base"):
            raise ValueError("`columns`, `ignore`, `units` and `per` are of wide files; a long one names its pairs")
        if self.units and self.per == "base":
            raise ValueError('`units` says for how much of a column\'s currency its rate is: set per = "currency"')
        if self.delimiter == self.decimal:
            raise ValueError("`delimiter` and `decimal` are the same character")
        return self
