"""What may be set for `trading` at start, from the environment as CROSSRATE_TRADING_<FIELD>."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_TRADING_", frozen=True, extra="ignore")

    account_fresh_s: float = Field(default=5.0, ge=0.1, le=600)
    """How long what the ledger said of an account is taken for granted."""
    account_kept_s: float = Field(default=3600.0, ge=1, le=86_400)
    """How long it serves while the ledger cannot be asked."""
    quotes_silence_s_max: float = Field(default=7.5, ge=0.1, le=60)
    """Quotes set nothing off after this time without a word from marketdata, whose heartbeat comes every 5 s."""
    quotes_linger_s: float = Field(default=5.0, ge=0, le=600)
    """How long an instrument is followed after its last working order has ended."""
    trail_interval_s: float = Field(default=0.25, ge=0.01, le=60)
    """A trailing stop's price is written down at most so often; between, it moves in memory."""
    expire_grace_s: float = Field(default=2.0, ge=0, le=60)
    """How long a venue may take to expire an order by itself before it is told to cancel it."""
    sweep_interval_s: float = Field(default=1.0, ge=0.05, le=60)
    """How often accounts of instances that are gone are looked for, and the gate is looked at."""
    session_interval_s: float = Field(default=0.25, ge=0.02, le=1)
    """How often open sessions are renewed and lost ones are looked for; a session's silence is two seconds at least."""
    heartbeat_s: float = Field(default=5.0, ge=0.1, le=30)
    """A stream of reports says at least so often that it is there."""
    streams_max: int = Field(default=1000, ge=1, le=100_000)
    """Streams and sessions that one instance serves at the same time."""
    connections_max: int = Field(default=6, ge=3, le=32)
    """Connections to PostgreSQL for reading and claiming; committing has one of its own."""
