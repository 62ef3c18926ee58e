"""What may be set for `risk` at start, from the environment as CROSSRATE_RISK_<FIELD>."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_RISK_", frozen=True, extra="ignore")

    threads: int = Field(default=2, ge=1, le=256)
    """Threads that share a slice of scenarios."""
    slice_cells: int = Field(default=6_000_000, ge=1_000, le=1_000_000_000)
    """Prices in one slice: some fifty milliseconds of a compiled kernel."""
    slice_cells_numpy: int = Field(default=300_000, ge=1_000, le=1_000_000_000)
    """The same where the kernel is not compiled and its numpy twin serves."""
    heartbeat_interval_s: float = Field(default=5.0, gt=0, le=20)
    """A heartbeat after this time without progress."""
    rates_kept_s: float = Field(default=3600.0, gt=0)
    """How long reference rates in memory are used before they are asked for again; they are published once a day."""

    connections_max: int = Field(default=6, ge=2, le=32)
    """Connections to PostgreSQL."""
    lease_s: float = Field(default=3.0, ge=0.3, le=60)
    """How long an instance that decides before trades may be silent before another one takes over."""
    always_open: bool = True
    """Orders are taken outside of trading sessions too, as long as the quote is not CLOSED: the simulated market never
    closes unless `marketdata` is set so. False for a real market."""
    quote_interval_s: float = Field(default=0.05, ge=0, le=1)
    """Each instrument's quote is taken at most so often."""
    quotes_silence_s_max: float = Field(default=3.0, gt=1, le=60)
    """Without a word from marketdata for longer, no quote is LIVE."""
    quote_age_s_max: float = Field(default=10.0, gt=0, le=3600)
    """A quote that was received longer ago is no reference."""
    rate_age_s_max: float = Field(default=60.0, gt=0, le=86_400)
    """A currency whose quotes were not LIVE for longer has no value, and what holds it refuses to hold more."""
    value_interval_s: float = Field(default=0.25, ge=0, le=10)
    """How often positions are valued anew; between two valuations what orders add is added."""
    statuses_interval_s: float = Field(default=2.0, gt=0, le=60)
    """How often reference is asked which instruments may be traded, and the ledger for its accounts."""
    funds_interval_s: float = Field(default=0.25, gt=0, le=60)
    """How often the ledger is asked for what it has booked: deposits and shares of blocks count after that."""
    neighbours_stale_s_max: float = Field(default=15.0, gt=0, le=600)
    """Without their answer for longer, nothing is traded."""
    flatten_slice: float = Field(default=5_000_000, gt=0, le=1e12)
    """The most of one order that closes a position, in US dollars."""
    flatten_bound_bp: int = Field(default=25, ge=1, le=1000)
    """How far beyond the quote such an order may deal, in basis points."""
    flatten_interval_s: float = Field(default=0.5, gt=0, le=60)
    """Time between two looks at what is left to close."""
    margin_interval_s: float = Field(default=0.5, gt=0, le=60)
    """Time between two looks at the margin of accounts."""
    margin_dwell_s: float = Field(default=1.0, ge=0, le=60)
    """How long a lower level of margin has to last before an account is called or closed out: one wrong price closes
    nobody out."""
    margin_hysteresis: float = Field(default=0.05, ge=0, le=1)
    """How far beyond a level, as a share of it, an account has to be to be let go on."""
    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept; a repetition after that is a new request."""
    forget_interval_s: float = Field(default=3600.0, gt=0)
    """How often answers older than that are deleted."""
    assumed_funds: int | None = Field(default=None, ge=0, le=10**15)
    """What each account has besides its trades, in its own currency, while the ledger does not tell it: for a platform
    without
    deposits, as a laptop's. Unset: an account whose funds are not known may only reduce."""
