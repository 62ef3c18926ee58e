"""What may be set for `pipeline` at start, from the environment as CROSSRATE_PIPELINE_<FIELD>."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read once at start."""

    model_config = SettingsConfigDict(env_prefix="CROSSRATE_PIPELINE_", frozen=True, extra="ignore")

    history_url: str = ""
    """The store of quotes: a folder, or s3://, gs:// or az://; by default `history` in the state folder."""
    roots: tuple[Path, ...] = ()
    """Folders below which callers from the mesh may have files read; by default `inbox` in the state folder. The local
    operator may name any file, because they could read it anyway."""
    http_hosts: tuple[str, ...] = ()
    """Hosts from which callers from the mesh may have files fetched; the local operator may name any."""
    object_urls: tuple[str, ...] = ()
    """Beginnings of URLs of object stores that callers from the mesh may have read; the local operator may name any."""
    jobs_max: int = Field(default=2, ge=1, le=16)
    """Jobs that one instance works on at once."""
    waiting_max: int = Field(default=1000, ge=1, le=100_000)
    """Jobs that may wait; more are refused."""
    lease_s: float = Field(default=10.0, ge=1, le=300)
    """How long after the death of an instance its jobs are taken over."""
    poll_interval_s: float = Field(default=1.0, gt=0, le=60)
    """How often waiting jobs are looked for that another instance accepted or left."""
    progress_interval_s: float = Field(default=0.4, gt=0, le=10)
    """How often progress is written down, and looked at for those who watch."""
    checkpoint_rows: int = Field(default=4_000_000, ge=1, le=1_000_000_000)
    """Rows of a file from one checkpoint to the next, behind which its load goes on after it was cut off. Each makes a
    file more of every day that it has rows of, until these are compacted."""
    vacuum_age_s: float = Field(default=86_400.0, ge=3600)
    """How long files that no commit names lie in the store before they are deleted: longer than any load takes from one
    checkpoint to the next, and than any read takes."""
    jobs_kept_s: float = Field(default=180 * 86_400.0, ge=86_400)
    """How long ended jobs are kept with their reports and rejected rows; datasets and their files are kept on."""
    answers_kept_s: float = Field(default=7 * 86_400.0, ge=86_400)
    """How long the answer to a request id is kept."""
    connections_max: int = Field(default=6, ge=2, le=32)
    """Connections to PostgreSQL."""
