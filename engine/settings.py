"""Settings: one frozen value, from arguments over the environment (`GDC_...`) over `gdc.toml`."""

from __future__ import annotations

import os
from collections.abc import Callable
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
from engine.organisations import Contract, Organisation, Project
from engine.packages import Package
from engine.providers import Provider, told_apart
from engine.queryables import Queryable

ATTEMPT = "attempt-"
"""What names of the folders of attempts at batch jobs begin with."""
GDAL_CACHE = 16 * 2**20
"""Bytes of decoded blocks that GDAL keeps for neighbouring windows, of all files that are read or written."""


def default_home() -> Path:
    """Where data lives unless told otherwise, after the XDG base directory specification."""
    base = os.environ.get("XDG_DATA_HOME")
    return (Path(base) if base else Path.home() / ".local" / "share") / "geodatacube"


def told_by(*names: str) -> Callable[[], str | None]:
    """What the first of some variables of the environment says that says anything."""
    return lambda: next((found for name in names if (found := os.environ.get(name))), None)


class Settings(BaseSettings):
    """How an engine works."""

    model_config = SettingsConfigDict(
        env_prefix="GDC_", toml_file="gdc.toml", frozen=True, extra="forbid", env_ignore_empty=True
    )

    home: Path = Field(default_factory=default_home)
    """Folder for the catalogue and the sample data."""
    catalog: Path | str | None = None
    """The catalogue: a SQLite file, or the URL of a PostgreSQL database with PostGIS; by default `catalog.sqlite` in `home`."""
    catalog_shared: bool = False
    """Is the catalogue that of others, too, so that graphs write into collections of their user only? A server says yes."""
    user: str = ""
    """The account that it works for, where it works for one."""
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
    max_coverage_bytes: int = Field(default=2**29, gt=0)
    """Larger coverages are refused; graphs may give larger results."""
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
    """Bytes that a user may store: files, results of jobs, and objects."""
    max_body_bytes: int = Field(default=16 * 2**20, gt=0)
    """Longest body of a request; uploaded files are limited by `storage_bytes`, objects by `max_object_bytes`, too."""
    storage: str | None = None
    """Where objects lie: a folder, or `s3://BUCKET/PREFIX`; by default the folder `objects` in `home`."""
    s3_endpoint: str | None = Field(
        default_factory=told_by("S3_ENDPOINT", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
    )
    """Address of an object store that speaks S3; by default what the usual variables say, or that of Amazon. Only if it
    begins with `http:` is it asked without TLS. Credentials are in the environment, see `engine.objects.bucket`."""
    s3_region: str | None = Field(default_factory=told_by("S3_REGION", "AWS_REGION", "AWS_DEFAULT_REGION"))
    """Region of the buckets; by default what the usual variables say."""
    storage_redirect: bool = False
    """Are clients that fetch objects sent to the object store itself, with a signed address, where it can do so?"""
    max_object_bytes: int = Field(default=16 * 2**30, gt=0)
    """Bytes that one object may have."""

    upload_storage: str | None = None
    """Where files lie that items of owners bring along: `s3://BUCKET/PREFIX`, or a folder in place of a bucket of its name."""
    catalog_storage: str | None = None
    """Where these files are kept from then on; it may be of the other kind."""
    owner_days: float = Field(default=30.0, gt=0)
    """Days after which items of owners are removed."""
    publish_bytes: int = Field(default=4 * 2**20, ge=1024)
    """Longest message of a publisher."""
    publish_heartbeat: float = Field(default=25.0, gt=0)
    """Seconds between signs of life to publishers."""
    publish_login_seconds: float = Field(default=10.0, gt=0)
    """Seconds that a publisher has for the token, where it comes as the first message."""
    publish_connections_user: int = Field(default=16, ge=1)
    """Connections that one publisher may have at a time, to each server process."""
    publish_rate: float = Field(default=500.0, gt=0)
    """Messages of one publisher that each server process takes in a second, in the long run; then it reads more slowly."""
    publish_burst: int = Field(default=5000, ge=1)
    """Messages that a publisher may send before that begins."""
    publish_faults: int = Field(default=10, ge=1)
    """Messages without sense, one after the other, that end a connection."""
    publish_pending_hours: float = Field(default=24.0, gt=0)
    """Hours that what was published waits for the collection or catalogue it belongs to."""
    publish_pending_bytes: int = Field(default=64 * 2**20, ge=0)
    """Bytes of messages of one publisher that may wait so."""
    publish_log_entries: int = Field(default=1000, ge=1)
    """Entries that are kept of the log of a publisher, the latest ones."""
    event_days: float = Field(default=30.0, gt=0)
    """Days for which events are kept: subscribers who come back later are told that they missed some."""
    packages: tuple[Package, ...] = ()
    """What users can subscribe to, by name."""
    subscription_ping: float = Field(default=15.0, gt=0)
    """Seconds between signs of life to subscribers."""
    subscriptions_user: int = Field(default=32, ge=1)
    """Connections that one subscriber may have at a time, to each server process."""
    webhook_timeout: float = Field(default=10.0, gt=0)
    """Seconds that the receiver of a webhook has for its answer."""
    webhook_base_seconds: float = Field(default=2.0, gt=0)
    """Seconds until a delivery is tried for the second time; the time doubles with every attempt."""
    webhook_cap_seconds: float = Field(default=600.0, gt=0)
    """Longest time between two attempts."""
    webhook_attempts: int = Field(default=30, ge=1)
    """Attempts at a delivery before it is given up."""
    webhook_log_entries: int = Field(default=1000, ge=1)
    """Deliveries that are kept of a webhook after they ended, the latest ones."""

    queryables: tuple[Queryable, ...] = ()
    """Properties that the catalogue keeps an index of, besides `eo:cloud_cover` and `platform`."""
    organisations: tuple[Organisation, ...] = ()
    """Who belongs together: members of an organisation publish and read in its name."""
    projects: tuple[Project, ...] = ()
    """Projects of organisations."""
    contracts: tuple[Contract, ...] = ()
    """Contracts of organisations: what data cost them."""
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

    @model_validator(mode="after")
    def _files_have_both_places(self) -> Settings:
        if (self.upload_storage is None) != (self.catalog_storage is None):
            raise ValueError("of GDC_UPLOAD_STORAGE and GDC_CATALOG_STORAGE there are both, or none")
        return self

    @field_validator("packages")
    @classmethod
    def _called_differently(cls, packages: tuple[Package, ...]) -> tuple[Package, ...]:
        names = [package.name for package in packages]
        if len(set(names)) < len(names):
            raise ValueError("two packages have the same name")
        return packages

    @field_validator("oidc")
    @classmethod
    def _told_apart(cls, providers: tuple[Provider, ...]) -> tuple[Provider, ...]:
        told_apart(providers)
        return providers

    @property
    def catalog_place(self) -> str:
        """The catalogue's file, or its URL."""
        return str(self.catalog or self.home / "catalog.sqlite")

    @property
    def database_url(self) -> str:
        """The database of accounts and stored processes, as SQLAlchemy has it."""
        return self.database or f"sqlite:///{self.home / 'store.sqlite'}"

    @property
    def storage_place(self) -> str:
        """Where objects lie: a folder, or the URL of a bucket."""
        return self.storage or str(self.home / "objects")

    def job_folder(self, user: str, job: str) -> Path:
        """Where the results of a batch job lie, a folder for each attempt."""
        return self.home / "users" / user / "jobs" / job

    def attempt_folder(self, user: str, job: str, fence: int) -> Path:
        """Where one attempt at a batch job writes, which its fencing number tells from all others."""
        return self.job_folder(user, job) / f"{ATTEMPT}{fence}"

    def of_user(self, user: str) -> Settings:
        """The same for what a user runs: files, models and workspaces lie in a folder of the user's own."""
        own = {
            "catalog": self.catalog_place,
            "storage": self.storage_place,
            "database": self.database_url,
            "catalog_shared": True,
            "user": user,
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
