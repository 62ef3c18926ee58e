"""What may be set for `reference`: at start from the environment as CROSSRATE_REFERENCE_<FIELD>, and while it runs."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_REFERENCE_", frozen=True, extra="ignore")

    follow_interval_s: float = Field(default=0.5, gt=0, le=60)
    """How old another instance's change may be before this one knows it."""
    stale_s_max: float = Field(default=10.0, gt=0, le=600)
    """Without the database for longer, the instance stops serving."""
    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept; a repetition after that is a new request."""
    forget_interval_s: float = Field(default=3600.0, gt=0)
    """How often answers older than that are deleted."""
    connections_max: int = Field(default=4, ge=2, le=16)
    """Connections to PostgreSQL."""


class LiveSettings(BaseModel):
    """May change while the service runs: `crossrate config set reference '{"page_size_default": 50}'`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    page_size_default: int = Field(default=100, ge=1, le=1000)
    """Instruments in a page whose size the client leaves open."""
