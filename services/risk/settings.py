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
