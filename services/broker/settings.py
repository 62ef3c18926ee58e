"""What may be set for `broker` at start, from the environment as CROSSRATE_BROKER_<FIELD>."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.broker.gateway.declared import DEFAULT_PATH as FIX_CLIENTS_PATH
from services.broker.oanda.declared import DEFAULT_PATH as OANDA_CLIENTS_PATH
from services.broker.venues.declared import DEFAULT_PATH


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_BROKER_", frozen=True, extra="ignore")

    venues: Path = DEFAULT_PATH
    """The file that declares venues and routes."""
    fix_clients: Path = FIX_CLIENTS_PATH
    """The file that declares clients who trade over FIX."""
    oanda_clients: Path = OANDA_CLIENTS_PATH
    """The file that declares clients who trade over the OANDA v20 API."""
    connections_max: int = Field(default=8, ge=4, le=32)
    """Connections to PostgreSQL."""
    heartbeat_s: float = Field(default=5.0, gt=0, le=20)
    """A stream of reports says something at least so often."""
    quotes_silence_s_max: float = Field(default=15.0, gt=0, le=300)
    """After this time without a word from marketdata nothing is dealt on its quotes."""
    session_fresh_s_max: float = Field(default=8.0, gt=0, le=300)
    """A venue whose holder has not written for so long counts as away."""
