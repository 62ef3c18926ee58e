"""Settings of the control plane, from the environment as CROSSRATE_CONTROL_<FIELD>."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from services.control.state import Limits


class Settings(BaseSettings):
    """Bounds that the proxies keep. Times are seconds."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_CONTROL_", frozen=True, extra="ignore")

    connections_max: int = Field(default=1024, ge=1)
    """Connections of one proxy to one backend."""
    requests_max: int = Field(default=4096, ge=1)
    """Calls of one proxy to one backend that are under way; beyond them UNAVAILABLE at once."""
    requests_pending_max: int = Field(default=1024, ge=1)
    retry_budget_percent: float = Field(default=20.0, gt=0, le=100)
    """Share of the calls under way that may be repeats."""
    health_interval_s: float = Field(default=1.0, ge=0.1, le=60)
    """How often a proxy asks each instance."""
    ejection_s: float = Field(default=5.0, ge=0.1, le=300)
    """How long an instance that fails again and again is left out at first."""
    instances_known_s: float = Field(default=2.0, ge=0, le=60)
    """How long a starting control plane waits for instances to say how they do, before it serves the proxies."""

    @property
    def limits(self) -> Limits:
        """For the compiler."""
        return Limits(
            connections_max=self.connections_max,
            requests_max=self.requests_max,
            requests_pending_max=self.requests_pending_max,
            retry_budget_percent=self.retry_budget_percent,
            health_interval_s=self.health_interval_s,
            ejection_s=self.ejection_s,
        )
