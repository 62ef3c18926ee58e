"""What marketdata is told at start, and what may change while it runs."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Fixed for the life of an instance; from the environment, CROSSRATE_MARKETDATA_<FIELD>."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_MARKETDATA_", frozen=True, extra="ignore")

    feeds: Path | None = None
    """The file that declares the feeds; unset: mesh/feeds.toml."""
    seed: int = Field(default=20_250_101, ge=0, lt=2**63)
    """Seed of the simulated market."""
    always_open: bool = True
    """Quote around the clock; false: only while the instrument's trading session is open."""
    window_days: int = Field(default=780, ge=60, le=10_000)
    """Published days that volatilities and correlations are estimated from: three years."""
    half_life_days: float | None = Field(default=120.0, gt=0)
    """Published days after which a return weighs half; none for equal weights."""
    tick_ms: int = Field(default=100, ge=5, le=1000)
    """Longest time between two entries of the log while there is something to quote."""
    tick_ms_min: int = Field(default=10, ge=1, le=1000)
    """Shortest time between two entries of the simulated feed, at 1,600 quotes a second and more. Every entry is synced
    to disk once."""
    silence_ms: int = Field(default=500, ge=50, le=5000)
    """An entry without quotes follows after this long without one, so that silence means that the writer is gone."""
    takeover_ms: int = Field(default=2000, ge=200, le=60_000)
    """Another instance writes after this silence. A multiple of `silence_ms`: it must outlast a busy machine."""
    stale_after_ms: int = Field(default=10_000, ge=100, le=3_600_000)
    """A live quote older than this is STALE."""
    ring_capacity: int = Field(default=32_768, ge=2, le=2**22)
    """Quotes that cursors can return to, a power of two: seven minutes at the default rate, 1.6 seconds at 20,000
    quotes a second; 0.7 KB each."""
    log_entries_read: int = Field(default=2_000, ge=700, le=100_000)
    """Entries of the log that an instance reads when it starts; more than lie between two that carry the board."""
    history_url: str = ""
    """Where quotes are stored: a folder, or s3://, gs:// or az:// with bucket and prefix; empty: in the state."""
    history_interval_s: float = Field(default=30.0, ge=0.1, le=3600)
    """Time between two writes of the history. What is not stored yet is read from the log."""
    history_rows_max: int = Field(default=200_000, ge=100, le=4_000_000)
    """So many quotes are stored at once, however little time has passed."""
    history_retention_days: int = Field(default=30, ge=0, le=100_000)
    """Days that quotes of feeds are kept, 0 for ever; datasets that were loaded are kept until they are removed."""
    history_upkeep_s: float = Field(default=3600.0, ge=1, le=86_400)
    """Time between two rounds of compaction, retention and deletion of files that are no longer needed."""
    daily_poll_s: float = Field(default=5.0, ge=0.05, le=3600)
    """Time between two looks at the files of daily rates; one that changed is read when two looks found it the same."""
    bar_grace_ms: int = Field(default=1_000, ge=0, le=60_000)
    """A bar is over this long after its end by the clock, if no quote says so before: quotes are under way so long."""
    book_interval_ms: int = Field(default=100, ge=10, le=60_000)
    """Time between two changes of a simulated book."""
    book_levels: int = Field(default=10, ge=1, le=100)
    """Levels on each side of a simulated book, the quote among them."""
    book_ring_capacity: int = Field(default=8_192, ge=2, le=2**22)
    """Changes of books that cursors can return to, a power of two; a minute and a half at the default rate."""
    book_log_entries_read: int = Field(default=1_000, ge=100, le=100_000)
    """Entries of the books' log that an instance reads at least when it starts, to fill its ring."""
    streams_max: int = Field(default=1_000, ge=1, le=100_000)
    """Streams that one instance serves at the same time."""


class FeedConfig(BaseModel):
    """Live configuration: applies to the writer within one tick."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    quotes_per_s: float = Field(default=80.0, ge=0.1, le=200_000.0)
    """Quotes a second over all instruments; with `hours` the mean over a day."""
    hours: bool = True
    """Whether volatility, activity and spreads follow the hours of the market in New York."""
    spread_multiplier: float = Field(default=1.0, ge=0.1, le=100.0)
    """Multiplies every spread."""
    volatility_multiplier: float = Field(default=1.0, ge=0.0, le=20.0)
    """Multiplies every volatility."""
