"""What may be set for `ledger` at start, from the environment as CROSSRATE_LEDGER_<FIELD>."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.ledger.rates import DEFAULT_PATH


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_LEDGER_", frozen=True, extra="ignore")

    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept; a repetition after that is a new request."""
    forget_interval_s: float = Field(default=3600.0, gt=0)
    """How often answers older than that are deleted."""
    connections_max: int = Field(default=4, ge=2, le=16)
    """Connections to PostgreSQL."""
    margin_call_level: int = Field(default=10_000, ge=1)
    """Equity over margin used below which a margin call is told, in 1/10,000."""
    close_out_level: int = Field(default=5_000, ge=1)
    """Equity over margin used at which positions are to be closed, in 1/10,000; a half, as ESMA has it for retail."""
    financing_path: Path = DEFAULT_PATH
    """The declared table of financing."""
    simulated_days: bool = False
    """Whether RollDay may end a trade date that has not ended: for simulations, never for real money."""
    poll_s: float = Field(default=1.0, gt=0)
    """The stream of executions is looked at this often, even if nothing was announced."""
