"""Settings: one frozen value, from arguments over the environment (`GDC_...`) over `gdc.toml`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from engine.billing import FREE, Plan
from engine.providers import Provider, told_apart

GDAL_CACHE = 48 * 2**20
"""Bytes of decoded blocks that GDAL keeps for neighbouring windows, of all files that are read or written."""


def default_home() -> Path:
    """Where data lives unless told otherwise, after the XDG base directory specification."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "geodatacube"


class Settings(BaseSettings):
    """How an engine works."""

    model_config = SettingsConfigDict(
        env_prefix="GDC_", toml_file="gdc.toml", frozen=True, extra="forbid", env_ignore_empty=True
    )

    home: Path = Field(default_factory=default_home)
    """Folder for the catalogue and the sample data."""
    catalog: Path | None = None
    """The catalogue's SQLite file; by default `catalog.sqlite` in `home`."""
    catalog_shared: bool = False
    """Is the catalogue that of others, too, so that graphs may not write into it? A server says yes."""
    cluster: str = "threads"
    """Where blocks are computed: `threads`, `processes` (a local cluster), or the address of a dask scheduler."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Threads, or worker processes of a local cluster."""
    scale: Literal["none", "metadata"] = "none"
    """`metadata` applies the scale and offset of bands on loading, `none` keeps the stored integers."""
    kernels: Literal["auto", "always", "never"] = "auto"
    """Are chains of processes compiled into kernels: where there is enough to do, always, or never?"""
    block_memory: int = Field(default=192 * 2**20, ge=2**20)
    """Bytes that one block may take while it is computed; each worker has one at a time."""
    max_memory: int | None = Field(default=None, ge=2**20)
    """Bytes that a run may hold at once, or it is refused before anything is read; by default what the machine has."""
    local_files: bool = True
    """May graphs read files of this machine by path? A server says no."""
    private_hosts: Literal["allow", "deny"] = "allow"
    """May graphs ask addresses of this machine and its network? A server says no; `allowed_hosts` are asked anyway."""
    allowed_hosts: tuple[str, ...] = ()
    """Hosts that may be asked whatever their address: `host`, or `host:port`."""
    ogc_processes: str | None = None
    """Landing page of the OGC API - Processes that `run_ogcapi` runs; without one there is none."""
    call_timeout: float = Field(default=600.0, gt=0)
    """Seconds that a process that runs elsewhere may take."""
    max_download_bytes: int = Field(default=4 * 2**30, gt=0)
    """Larger files are not fetched as a whole."""
    udf: Literal["sandbox", "trusted", "off"] = "sandbox"
    """User-defined functions: held by a sandbox, trusted (a plain process, for your own code), or switched off."""
    udf_seconds: float = Field(default=120.0, gt=0)
    """Longest time that one block of a user-defined function may take."""
    udf_memory: int = Field(default=4 * 2**30, ge=2**29)
    """Bytes of address space that a user-defined function may take."""
    max_output_bytes: int = Field(default=64 * 2**30, gt=0)
    """Larger results are refused before anything is read."""
    title: str = "GeoDataCube"
    """What a server calls itself."""
    public_url: str | None = None
    """Where a server is reached from outside, with its path prefix, if that is not where it listens."""
    database: str | None = None
    """URL of the database of accounts and stored processes; by default `store.sqlite` in `home`."""
    token_hours: float = Field(default=24.0, gt=0)
    """Hours for which a login holds."""
    auth: Literal["required", "anonymous"] = "required"
    """`anonymous` lets requests without a login act as the account `anonymous`, which all of them share."""
    oidc: tuple[Provider, ...] = ()
    """Identity providers (OpenID Connect) whose tokens are believed; the first is the one that clients take."""
    sync_slots: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1)
    """Synchronous requests that a server runs at a time, each in a process of its own."""
    sync_queue: int = Field(default=32, ge=0)
    """Synchronous requests that may wait for their turn; further ones are refused."""
    sync_queue_user: int = Field(default=16, ge=1)
    """Synchronous requests that one user may have under way, waiting ones included."""
    sync_seconds: float = Field(default=300.0, gt=0)
    """Longest time that a synchronous request may run."""
    job_slots: int = Field(default=1, ge=0)
    """Batch jobs that a worker runs at a time; a server with none leaves them to others."""
    job_seconds: float = Field(default=86_400.0, gt=0)
    """Longest time that an attempt at a batch job may run."""
    job_attempts: int = Field(default=3, ge=1)
    """Attempts at a batch job that are interrupted before it is given up."""
    job_lease: float = Field(default=20.0, gt=0)
    """Seconds without a sign of life after which a batch job is taken up by another worker."""
    link_hours: float = Field(default=24.0, gt=0)
    """Hours for which signed links to results hold."""
    services_user: int = Field(default=100, ge=0)
    """Secondary web services that one user may have."""
    service_log_entries: int = Field(default=1000, ge=1)
    """Entries that are kept of the log of a web service, the latest ones."""
    tile_cache_bytes: int = Field(default=2 * 2**30, ge=0)
    """Bytes of tiles that are kept on disk; those that nobody asked for longest go first."""
    tile_hours: float = Field(default=24.0, gt=0)
    """Hours after which a tile that was kept is computed anew: its scenes may be others."""

    storage_bytes: int = Field(default=20 * 2**30, ge=0)
    """Bytes that a user may store: files and results of jobs."""
    max_body_bytes: int = Field(default=16 * 2**20, gt=0)
    """Longest body of a request; uploaded files are limited by `storage_bytes`."""

    plans: tuple[Plan, ...] = Field(default=(FREE,), min_length=1)
    """Billing plans of a server; the first is that of requests which name none."""
    currency: str | None = None
    """What prices are in (ISO 4217 code, or credits); needed where any plan has prices."""
    figures: Path | None = None
    """Folder of what `gdc calibrate` measured; by default `home`."""

    @model_validator(mode="after")
    def _prices_have_a_currency(self) -> Settings:
        if self.currency is None and any(plan.paid for plan in self.plans):
            raise ValueError("a plan has prices, and there is no currency; set GDC_CURRENCY")
        return self

    @field_validator("oidc")
    @classmethod
    def _told_apart(cls, providers: tuple[Provider, ...]) -> tuple[Provider, ...]:
        told_apart(providers)
        return providers

    @property
    def catalog_path(self) -> Path:
        """The catalogue's file."""
        return self.catalog or self.home / "catalog.sqlite"

    @property
    def database_url(self) -> str:
        """The database of accounts and stored processes, as SQLAlchemy has it."""
        return self.database or f"sqlite:///{self.home / 'store.sqlite'}"

    def job_folder(self, user: str, job: str) -> Path:
        """Where the results of a batch job lie, a folder for each attempt."""
        return self.home / "users" / user / "jobs" / job

    def of_user(self, user: str) -> Settings:
        """The same for what a user runs: files, models and workspaces lie in a folder of the user's own."""
        own = {
            "catalog": self.catalog_path,
            "catalog_shared": True,
            "figures": self.figures or self.home,
            "home": self.home / "users" / user,
        }
        return self.model_copy(update=own)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 (the signature is pydantic's)
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments, then the environment, then the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
