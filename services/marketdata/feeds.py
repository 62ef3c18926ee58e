"""Which feeds and files of daily rates there are: `mesh/feeds.toml`, checked before anything is connected."""

from __future__ import annotations

import difflib
import ipaddress
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crossrate.basics.currency import CURRENCIES
from crossrate.ticks.clock import Clock
from services.marketdata.daily.declared import ECB, DailyFile
from services.marketdata.domain.normalise import Mapped, Rules
from services.marketdata.domain.outlier import Rule

DEFAULT_PATH = Path(__file__).resolve().parents[2] / "mesh" / "feeds.toml"
FEEDS_MAX = 64
SUBJECT_ROOT = "crossrate.marketdata.v1.quotes_in."
"""Where quotes from outside of the mesh may be published; the topology says by whom."""
SIMULATED = "simulated"
RESERVED = frozenset(("composite",))
SECOND = 1_000_000_000

Instrument = Annotated[str, Field(pattern=r"^[A-Z]{3}/[A-Z]{3}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,31}$")]


class FeedsInvalid(ValueError):
    """The file does not declare feeds; the message names the file, and each field with its remedy."""


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Reconnect(_Frozen):
    """How a venue that is away is tried again: waits grow at random from the first to the cap."""

    first_s: float = Field(default=0.5, ge=0.01, le=60)
    cap_s: float = Field(default=30.0, ge=0.01, le=3600)
    stable_s: float = Field(default=30.0, ge=0, le=86_400)
    """A connection that held this long has waits begin at the first again."""


class Outliers(_Frozen):
    """When a price is marked as an outlier: further from the median of the last ones than both bounds."""

    enabled: bool = True
    deviations: float = Field(default=12.0, ge=1, le=1000)
    """Standard deviations of the last mids, from their interquartile range."""
    floor_bp: float = Field(default=25.0, ge=0.01, le=10_000)
    """Basis points of the median."""
    window: int = Field(default=32, ge=8, le=1024)
    """Mids that are looked at."""
    confirm: int = Field(default=3, ge=2, le=100)
    """This many outliers in a row near each other are where the market is now."""
    forget_s: float = Field(default=300.0, ge=1, le=86_400)
    """After this silence the band begins anew."""
    live: bool = False
    """An outlier may be traded on; false: it is STALE until others confirm it."""


class External(_Frozen):
    """What all feeds from outside have."""

    stale_after_s: float = Field(default=10.0, ge=0.1, le=86_400)
    """A feed without any quote for this long is STALE, and so are its quotes."""
    quote_stale_after_s: float = Field(default=10.0, ge=0.1, le=86_400)
    """A quote that is older than this is STALE: raise it where a venue sends changes only."""
    late_after_s: float = Field(default=10.0, ge=0, le=86_400)
    """A quote whose venue time is further than this from its receipt is STALE; 0: no such rule."""
    disorder_ms: float = Field(default=1000.0, ge=0, le=86_400_000)
    """A quote whose venue time is this much before the newest of its instrument is STALE."""
    outliers: Outliers = Outliers()
    reconnect: Reconnect = Reconnect()
    pending_max: int = Field(default=20_000, ge=100, le=1_000_000)
    """Quotes that wait for the log; then the venue is not read until there is room."""

    def mapped(self, symbol: str) -> Mapped | None:
        """What one of the feed's symbols is; None if it is no pair of the platform's currencies."""
        instrument = pair_of(symbol)
        return None if instrument is None else Mapped(instrument)

    def venue_clock(self) -> Clock:
        """The clock of venue times."""
        return Clock()

    def rules(self) -> Rules:
        """Its rules, as the normaliser takes them."""
        these = self.outliers
        begin, forget_ns = min(8, these.window), round(these.forget_s * SECOND)
        rule = Rule(these.deviations, these.floor_bp, these.window, begin, these.confirm, forget_ns)
        late_ns, disorder_ns = round(self.late_after_s * SECOND), round(self.disorder_ms * 1e6)
        return Rules(late_ns, disorder_ns, rule if these.enabled else None, these.live)


class FromVenue(External):
    """What feeds have whose venue has names, units and a clock of its own."""

    clock: str = "UTC"
    """The venue's clock: UTC, UTC-05:00, Europe/London, New York+7."""
    symbols: dict[str, Instrument] = {}
    """Instruments by the venue's names; EURUSD, EUR/USD, eur.usd and the like are understood without."""
    price_digits: int = Field(default=0, ge=0, le=9)
    """Prices are whole points of 10 to the minus this; 0: prices are written as such."""
    price_digits_of: dict[Annotated[str, Field(pattern=r"^[A-Z]{3}$")], Annotated[int, Field(ge=0, le=9)]] = {}
    """The same by counter currency."""
    quantity_unit: float = Field(default=1.0, gt=0, le=1e12)
    """What a quantity of 1 is, units of the base currency."""

    @field_validator("clock")
    @classmethod
    def _clock_is_known(cls, value: str) -> str:
        Clock.parse(value)
        return value

    def mapped(self, symbol: str) -> Mapped | None:
        """What one of the venue's symbols is; None if it is no pair and is not listed in `symbols`."""
        instrument = self.symbols.get(symbol) or pair_of(symbol)
        if instrument is None:
            return None
        digits = self.price_digits_of.get(instrument[4:], self.price_digits)
        return Mapped(instrument, float(10**digits), self.quantity_unit)

    def venue_clock(self) -> Clock:
        """The clock of venue times."""
        return Clock.parse(self.clock)


class SimulatedFeed(_Frozen):
    """The platform's own simulated market."""

    kind: Literal["simulated"]


class ReplayFeed(External):
    """Files of quotes, sent again."""

    kind: Literal["replay"]
    paths: tuple[str, ...] = Field(min_length=1, max_length=1000)
    """Files, or patterns of them; relative to the folder of the feeds' file."""
    shape: str
    """How they are written: a name of `crossrate.files.shapes`."""
    shape_changes: dict[str, Any] = {}
    """Fields of the shape that differ, its `clock` and `symbols` among them."""
    instrument: Instrument | None = None
    """What the files are of, where neither their names nor their rows tell."""
    speed: float = Field(default=1.0, ge=0, le=1e6)
    """How many times as fast as it was; 0: as fast as the log takes it."""
    times: Literal["shifted", "kept"] = "shifted"
    """`venue_time` is when the quote was due now, or what stands in the file."""
    loop: bool = False
    """Begin anew at the end."""
    run: str = Field(default="", max_length=64)
    """Names this run: with another one, a replay that was sent, in part or to its end, begins anew."""
    wait_s_max: float = Field(default=0.0, ge=0, le=604_800)
    """Longer pauses between two quotes, as over a weekend, are cut to this; 0: none is."""

    @model_validator(mode="after")
    def _shape_is_known(self) -> Self:
        # Not at import: readers of files come with pyarrow, which no other feed needs.
        from crossrate.files.shapes import shape_of

        shape = shape_of(self.shape, **self.shape_changes)
        if shape.kind != "quotes":
            raise ValueError(f"shape {self.shape!r} is of bars; a feed is made of quotes")
        return self

    def rules(self) -> Rules:
        """Its rules; a replay has no clock that could be late."""
        return replace(super().rules(), late_ns=0)


class FixFeed(FromVenue):
    """A venue that speaks FIX 4.4."""

    kind: Literal["fix"]
    host: str = Field(min_length=1, max_length=253)
    port: int = Field(ge=1, le=65_535)
    sender_comp_id: str = Field(min_length=1, max_length=64)
    target_comp_id: str = Field(min_length=1, max_length=64)
    sender_sub_id: str = Field(default="", max_length=64)
    target_sub_id: str = Field(default="", max_length=64)
    username: str = Field(default="", max_length=64)
    password_file: str = ""
    """A file that its owner alone may read; relative to the folder of the feeds' file."""
    tls: bool = False
    ca_file: str = ""
    """Roots that the venue's certificate is checked against; empty: the system's."""
    server_name: str = ""
    """The name in the venue's certificate, if it is not `host`."""
    private_line: bool = False
    """The way to the venue is private: a password may go over it without TLS."""
    heartbeat_s: int = Field(default=30, ge=1, le=3600)
    reset: Literal["logon", "memory"] = "logon"
    """Numbers begin at 1 with every logon, or go on over reconnections."""
    instruments: tuple[Instrument, ...] = Field(default=(), max_length=500)
    """What is subscribed to."""
    security_list: bool = False
    """Ask the venue what it has, and subscribe to all of it that is mapped to an instrument."""
    symbol_form: str = Field(default="{base}/{counter}", max_length=40)
    """How the venue writes a pair that is not in `symbols`: {base}{counter}, {base}.{counter}."""
    depth: int = Field(default=1, ge=0, le=100)
    """MarketDepth: 1 for the top of the book, 0 for all of it."""
    entry_key: Literal["auto", "id", "price", "position", "slot"] = "auto"
    """What names an entry of the book in updates: MDEntryID; MDEntryPositionNo, where New and Delete move what stands
    behind ("position") or nothing moves ("slot"); the price. "auto": MDEntryID, else MDEntryPositionNo as "position",
    else the price, by what each entry has."""
    updates: Literal["incremental", "full"] = "incremental"
    """MDUpdateType."""
    time: Literal["entry", "sending"] = "entry"
    """Venue time is that of the entry on the venue's `clock`, where it has one, or the message's SendingTime (UTC)."""
    symbols_per_request: int = Field(default=50, ge=1, le=500)

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if not self.instruments and not self.security_list:
            raise ValueError("name `instruments`, or set security_list = true")
        if self.symbol_form.count("{base}") != 1 or self.symbol_form.count("{counter}") != 1:
            raise ValueError('symbol_form has {base} and {counter} once each, as in "{base}/{counter}"')
        if self.password_file and not (self.tls or self.private_line or _loopback(self.host)):
            raise ValueError(
                f"a password would go to {self.host} in plain text: set tls = true, or private_line = true"
            )
        if self.ca_file and not self.tls:
            raise ValueError("ca_file means nothing without tls = true")
        return self

    def symbol(self, instrument: str) -> str:
        """What the venue calls an instrument."""
        for symbol, name in self.symbols.items():
            if name == instrument:
                return symbol
        base, _, counter = instrument.partition("/")
        return self.symbol_form.replace("{base}", base).replace("{counter}", counter)


class NatsFeed(FromVenue):
    """Quotes that a program outside of the mesh publishes on NATS."""

    kind: Literal["nats"]
    subject: str = Field(pattern=r"^[A-Za-z0-9_.*>-]{1,200}$")
    """Below crossrate.marketdata.v1.quotes_in; * and > as in NATS."""

    @field_validator("subject")
    @classmethod
    def _may_be_heard(cls, value: str) -> str:
        if not value.startswith(SUBJECT_ROOT) or len(value) == len(SUBJECT_ROOT):
            raise ValueError(f"it is not below {SUBJECT_ROOT.rstrip('.')}")
        return value


Spec = Annotated[SimulatedFeed | ReplayFeed | FixFeed | NatsFeed, Field(discriminator="kind")]
Outside = ReplayFeed | FixFeed | NatsFeed


class Feeds(_Frozen):
    """All feeds, and all files of daily rates, by name."""

    feeds: dict[Name, Spec] = Field(min_length=1, max_length=FEEDS_MAX)
    daily: dict[Name, DailyFile] = Field(default={}, max_length=FEEDS_MAX)

    @model_validator(mode="after")
    def _names_are_free(self) -> Self:
        for name, spec in self.feeds.items():
            if name in RESERVED:
                raise ValueError(f"feeds.{name}: the name stands for the best of all feeds; choose another")
            if (spec.kind == SIMULATED) != (name == SIMULATED):
                raise ValueError(f"feeds.{name}: the simulated feed, and no other, is called {SIMULATED!r}")
        if ECB in self.daily:
            raise ValueError(f"daily.{ECB}: the name stands for the European Central Bank's rates; choose another")
        return self


def pair_of(symbol: str) -> Instrument | None:
    """The pair that a name means if it is two currencies of the platform: EURUSD, EUR/USD, eur.usd."""
    letters = re.sub(r"[^A-Z]", "", symbol.upper())
    base, counter = letters[:3], letters[3:]
    if len(symbol) > 10 or base not in CURRENCIES or counter not in CURRENCIES or base == counter:
        return None
    return f"{base}/{counter}"


def load(path: Path = DEFAULT_PATH) -> Feeds:
    """Reads and checks the file.

    Raises:
        FeedsInvalid: it is not there, no TOML, or does not declare feeds.
    """
    try:
        return parse(path.read_text(), str(path))
    except OSError as error:
        raise FeedsInvalid(
            f"{path}: cannot be read ({error.strerror}); CROSSRATE_MARKETDATA_FEEDS names the file"
        ) from error


def parse(text: str, source: str) -> Feeds:
    """Checks the text of a file.

    Raises:
        FeedsInvalid: it is no TOML, or does not declare feeds.
    """
    try:
        return Feeds.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise FeedsInvalid(f"{source}: is not TOML: {error}") from error
    except ValidationError as error:
        lines = [f"{source}: {each}" for each in map(_line, error.errors(include_url=False))]
        raise FeedsInvalid("\n".join(lines)) from error


def _line(problem: Any) -> str:
    """One problem as "field: what is wrong and what would be right"."""
    path = [str(part) for part in problem["loc"]]
    kinds = {"simulated": SimulatedFeed, "replay": ReplayFeed, "fix": FixFeed, "nats": NatsFeed}
    # pydantic tells the chosen kind as a step of the path; it is none in the file.
    kind = path.pop(2) if len(path) > 2 and path[2] in kinds else ""
    where = ".".join(part for part in path if part != "[key]")
    if problem["type"] == "extra_forbidden":
        model: Any = kinds[kind] if kind else DailyFile if path[0] == "daily" and len(path) > 2 else Feeds
        for step in path[2:-1]:
            model = model.model_fields[step].annotation
        known = list(getattr(model, "model_fields", ()))
        nearest = difflib.get_close_matches(path[-1], known, 1)
        return f"{where}: there is no such field{f'; did you mean {nearest[0]!r}?' if nearest else ''}"
    if problem["type"] == "missing":
        return f"{where}: is missing; it has to be given"
    if problem["type"] == "union_tag_not_found":
        return f"{where}.kind: is missing; it is one of {', '.join(kinds)}"
    if problem["type"] == "union_tag_invalid":
        return f"{where}.kind: {problem['ctx']['tag']!r} is none of {', '.join(kinds)}"
    words = problem["msg"].removeprefix("Value error, ")
    given = problem.get("input")
    shown = f" (it is {given!r})" if isinstance(given, (str, int, float)) else ""
    return f"{where}: {words}{shown}" if where else words


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
