"""What may be set for `audit` at start, from the environment as CROSSRATE_AUDIT_<FIELD>."""

from __future__ import annotations

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.audit.domain import Retention


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_AUDIT_", frozen=True, extra="ignore")

    origin: str = Field(default="", max_length=200, pattern=r"^[^\s+]*$")
    """Name of the log in its checkpoints; empty for "<trust domain>/audit". It never changes."""
    poll_s: float = Field(default=0.5, gt=0, le=60)
    """How often each stream is looked at. Facts are at most so late; announcements would cost each message twice."""
    checkpoint_s: float = Field(default=1.0, gt=0, le=60)
    """How often a checkpoint is signed, if something is new."""
    batch_max: int = Field(default=1024, ge=1, le=4096)
    """Facts of one transaction, about."""
    witness: str = Field(default="own", pattern=r"^(own|none|unix:/.+|https?://.+)$")
    """The witness: "own" is a process that this instance starts, "unix:PATH" or a URL one that another runs (C2SP
    tlog-witness), "none" none."""
    witness_key: str = Field(default="", max_length=300)
    """Public key of a witness that another runs; its own says it itself."""
    retention_days: dict[str, int] = Field(default_factory=dict)
    """How long payloads are kept: days by full name of the type, "" for all others, 0 for ever. JSON. Headers stay."""
    retention_interval_s: float = Field(default=3600.0, gt=0)
    """How often that is looked at."""
    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept."""
    connections_max: int = Field(default=4, ge=2, le=16)
    """Connections to PostgreSQL."""

    @field_validator("retention_days")
    @classmethod
    def _policy(cls, value: dict[str, int]) -> dict[str, int]:
        Retention.parse(value)
        return value
