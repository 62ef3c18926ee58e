"""What may be set for `ledger` at start, from the environment as CROSSRATE_LEDGER_<FIELD>."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_LEDGER_", frozen=True, extra="ignore")

    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept; a repetition after that is a new request."""
    forget_interval_s: float = Field(default=3600.0, gt=0)
    """How often answers older than that are deleted."""
    connections_max: int = Field(default=4, ge=2, le=16)
    """Connections to PostgreSQL."""
