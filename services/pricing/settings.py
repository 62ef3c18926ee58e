"""What may be set for `pricing` at start, from the environment as CROSSRATE_PRICING_<FIELD>."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_PRICING_", frozen=True, extra="ignore")

    elements_inline_max: int = Field(default=20_000, ge=1, le=1_000_000)
    """Options that are priced on the loop in one go: about half a millisecond of a compiled kernel. More go to a
    thread."""
    elements_inline_max_numpy: int = Field(default=2_000, ge=1, le=1_000_000)
    """The same where the kernel is not compiled and its numpy twin serves."""
    elements_piece: int = Field(default=25_000, ge=1_000, le=1_000_000)
    """Options in one piece of a large request; between two pieces others get their turn."""
    snapshots_held_max: int = Field(default=256, ge=1, le=100_000)
    """Snapshots in memory; the one that was asked for longest ago goes first."""
    markets_held_max: int = Field(default=64, ge=1, le=10_000)
    """Versions of markets in memory, the same way."""
    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept; a repetition after that is a new request."""
    forget_interval_s: float = Field(default=3600.0, gt=0)
    """How often answers and quotes that are older are deleted."""
    quotes_kept_s: float = Field(default=30 * 86_400.0, ge=60)
    """How long quotes are kept that ended without execution; executed ones are kept for ever."""
    streams_max: int = Field(default=200, ge=1, le=100_000)
    """Streams of prices that one instance serves at the same time, of up to 50 products each."""
    quotes_conflation_s: float = Field(default=0.1, ge=0, le=60)
    """Quotes of one instrument come from marketdata at most so often: a tick of a quoted market with options costs a
    calibration of two milliseconds."""
    quotes_silence_s_max: float = Field(default=7.5, ge=0.1, le=60)
    """Quotes are stale after this time without a word from marketdata, whose heartbeat comes every 5 s."""
    quotes_linger_s: float = Field(default=5.0, ge=0, le=600)
    """How long an instrument is followed after the last stream that wanted it: a client that resumes finds it there."""
    market_poll_s: float = Field(default=1.0, ge=0.02, le=60)
    """How often a market that is streamed is asked for a newer version."""
    measure_interval_s: float = Field(default=60.0, ge=1)
    """How often the tables that only grow are measured, for the metrics."""
    connections_max: int = Field(default=4, ge=2, le=16)
    """Connections to PostgreSQL."""
