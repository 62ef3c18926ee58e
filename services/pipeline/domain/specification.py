"""A job, declared: where files come from, how they are written, what must hold of them, where their rows go.

Everything is checked before a job is accepted; what is wrong is said with the path of its field.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from crossrate.basics.pair import parse_pair
from crossrate.files.document import NotADocument, read
from crossrate.files.shape import Container, Kind, Shape
from crossrate.files.shapes import shape_of
from crossrate.ticks.clock import Clock
from crossrate.ticks.thresholds import Thresholds
from services.pipeline.domain.progress import RowKind

NAME = r"^[a-z0-9][a-z0-9_-]{0,63}$"
VENUE = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"
LIVE = "live"
"""The history's own name for what came from feeds."""
COMPOSITE = "composite"
"""The history's own source of what was the best of several feeds."""
FILES_MAX = 10_000
"""Files of one job."""
PROBLEMS_MAX = 50
"""Problems of one specification that are told."""


class Refused(ValueError):
    """A specification that cannot be carried out: each problem as (path of the field, what is wrong)."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {words}" if path else words for path, words in problems))
        self.problems = problems


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Files(_Part):
    """Files and folders of the machine that the service runs on."""

    kind: Literal["files"]
    paths: tuple[str, ...] = Field(
        min_length=1, max_length=1000, description="absolute paths of files, of folders, or patterns with * ? [ ] **"
    )
    recursive: bool = Field(False, description="also the folders in a folder")

    @field_validator("paths")
    @classmethod
    def _are_absolute(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for path in value:
            if not path.startswith("/") or "\0" in path:
                raise ValueError(f"{path!r} is not an absolute path; `crossrate data import` makes it one")
            if ".." in path.split("/"):
                raise ValueError(f"{path!r} goes up by ..; write the path without")
        return value


class Http(_Part):
    """Files that a web server has. One that did not change since it was loaded is not fetched again; one that broke off
    is gone on with."""

    kind: Literal["http"]
    urls: tuple[str, ...] = Field(min_length=1, max_length=1000, description="http:// or https:// URLs of files")
    timeout_s: float = Field(60.0, gt=0, le=600, description="longest silence of the server")
    attempts_max: int = Field(5, ge=1, le=20, description="how often a transfer that breaks off is gone on with")
    size_mib_max: int = Field(4096, ge=1, le=65_536, description="largest file")

    @field_validator("urls")
    @classmethod
    def _are_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError(f"{url!r} is no http:// or https:// URL")
            if parts.username or parts.password:
                raise ValueError("a URL with a password would be kept with the job; serve the file without")
            if not re.search(r"[^/]$", parts.path):
                raise ValueError(f"{url!r} names no file")
        if len(set(value)) < len(value):
            raise ValueError("a URL stands twice")
        return value


class ObjectStore(_Part):
    """Objects of a bucket, with the credentials of the service's environment."""

    kind: Literal["object_store"]
    urls: tuple[str, ...] = Field(
        min_length=1, max_length=1000, description="s3://, gs:// or file:// URLs of objects, or of prefixes ending in /"
    )
    size_mib_max: int = Field(4096, ge=1, le=65_536, description="largest object")

    @field_validator("urls")
    @classmethod
    def _are_urls(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for url in value:
            if urlsplit(url).scheme not in ("s3", "gs", "file"):
                raise ValueError(f"{url!r} is no s3://, gs:// or file:// URL")
            if "@" in urlsplit(url).netloc:
                raise ValueError("a URL with keys would be kept with the job; give them to the service's environment")
            if ".." in urlsplit(url).path.split("/"):
                raise ValueError(f"{url!r} goes up by ..; write the URL without")
        return value


class Nats(_Part):
    """A stream of JetStream that the topology lets the service read. Its messages are loaded stretch by stretch, each
    once: the position in the stream is committed with the rows. Without a declared end the job runs until somebody
    cancels it."""

    kind: Literal["nats"]
    stream: str = Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="its name in the topology")
    subject: str = Field("", pattern=r"^[^\s]{0,255}$", description="only messages of this one, wildcards allowed")
    encoding: Literal["lines", "quotes"] = Field(
        "lines", description="lines of the declared shape, without a header; or each a Quote in protobuf or JSON"
    )
    begin_sequence: int | None = Field(
        None, ge=1, description="number of the first message for a dataset that has none; by default the stream's first"
    )
    end_sequence: int | None = Field(None, ge=1, description="number of the last message")
    until_now: bool = Field(False, description="end with the last message that is there when the job begins")
    until_idle_s: float | None = Field(None, gt=0, le=86_400, description="end when nothing came for so long")
    part_s: float = Field(60.0, ge=0.1, le=3_600, description="at most so long until what came is committed")
    part_messages_max: int = Field(50_000, ge=1, le=1_000_000, description="messages that are committed together")
    gaps_allowed: bool = Field(False, description="go on where messages that follow are gone from the stream")


Source = Annotated[Files | Http | ObjectStore | Nats, Field(discriminator="kind")]


class Naming(_Part):
    """What the platform calls what the files hold."""

    instrument: str | None = Field(None, description="what all files are of, as EUR/USD; by default their names say it")
    clock: str | None = Field(None, description="the venue's clock, instead of the shape's: UTC-05:00, Europe/Athens")
    symbols: dict[str, str] = Field(default_factory=dict, description="instruments by the vendor's name")
    only: tuple[str, ...] = Field((), max_length=1000, description="a file with any other instrument fails")

    @field_validator("instrument")
    @classmethod
    def _is_a_pair(cls, value: str | None) -> str | None:
        if value is not None:
            parse_pair(value)
        return value

    @field_validator("only")
    @classmethod
    def _are_pairs(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for each in value:
            parse_pair(each)
        return value

    @field_validator("clock")
    @classmethod
    def _is_a_clock(cls, value: str | None) -> str | None:
        if value is not None:
            Clock.parse(value)
        return value


class Quality(Thresholds):
    """Thresholds; a file that breaks one of them is quarantined as a whole.

    Attributes:
        overlap_allowed: whether a file may cover time for which the dataset has quotes of the instrument from another
            file: as a rule these are the same quotes once more.
        reference: a venue of the history whose clock is trusted. A file's quotes are laid over its quotes, and
            `clock_offset_s_max` and `clock_residual_pips_max` are looked at; a file that cannot be compared is
            quarantined. Bars are laid beside those that are built of its quotes.
        bars_twice_max: bars that have begin and end of another one in the file.
        bar_difference_p95_pips_max: how far 95 % of the bars may be from those built of the reference's quotes, each at
            its furthest price; not looked at by default, because venues build bars of other quotes than they sell.
    """

    overlap_allowed: bool = False
    reference: str | None = Field(None, pattern=VENUE)
    bars_twice_max: int | None = Field(0, ge=0)
    bar_difference_p95_pips_max: float | None = Field(None, gt=0)


class Target(_Part):
    """Where the rows go."""

    dataset: str = Field(pattern=NAME, description="name under which they can be taken out again")
    venue: str = Field(pattern=VENUE, description="whose quotes they are")

    @field_validator("dataset")
    @classmethod
    def _is_not_live(cls, value: str) -> str:
        if value == LIVE:
            raise ValueError(f"{LIVE!r} is the dataset of the feeds; give another name")
        return value

    @field_validator("venue")
    @classmethod
    def _is_no_composite(cls, value: str) -> str:
        if value == COMPOSITE:
            raise ValueError(f"{COMPOSITE!r} stands for the best of the feeds; give another name")
        return value


class Specification(_Part):
    """A job.

    Attributes:
        name: what it is called.
        comment: for people.
        source: where files come from.
        shape: a known shape by its name with fields changed, or all fields of a shape of one's own.
        map: what the platform calls what the files hold.
        quality: what must hold of a file.
        target: where its rows go.
    """

    name: str = Field(pattern=NAME)
    comment: str = Field("", max_length=500)
    source: Source
    shape: Shape
    map: Naming = Field(default_factory=lambda: Naming())
    quality: Quality = Field(default_factory=lambda: Quality())
    target: Target

    @field_validator("shape", mode="before")
    @classmethod
    def _by_name(cls, value: object) -> object:
        if isinstance(value, str):
            return shape_of(value)
        if isinstance(value, Mapping) and "columns" not in value and isinstance(value.get("name"), str):
            return shape_of(value["name"], **{k: v for k, v in value.items() if k != "name"})
        return value

    @model_validator(mode="before")
    @classmethod
    def _without_a_shape(cls, value: Any) -> Any:
        """Messages that are quotes need no shape."""
        source = value.get("source") if isinstance(value, Mapping) else None
        if isinstance(source, Mapping) and source.get("kind") == "nats" and source.get("encoding") == "quotes":
            return {"shape": "generic", **value}
        return value

    @model_validator(mode="after")
    def _streams_have_quotes(self) -> Self:
        if isinstance(self.source, Nats):
            if self.shape.kind is Kind.BARS:
                raise ValueError("shape: it is of bars, and a stream has quotes")
            if self.shape.container is not Container.TEXT:
                raise ValueError("shape: it is of files, and messages are lines of text")
            if self.quality.reference is not None:
                raise ValueError("quality: a stretch of a stream is too short to find its clock; leave `reference` out")
        return self

    @property
    def kind(self) -> RowKind:
        """What its rows are."""
        return RowKind.BARS if self.shape.kind is Kind.BARS else RowKind.QUOTES

    @property
    def effective_shape(self) -> Shape:
        """The shape with the job's clock and symbols."""
        changes: dict[str, object] = {}
        if self.map.clock is not None:
            changes["clock"] = self.map.clock
        if self.map.symbols:
            changes["symbols"] = {**self.shape.symbols, **self.map.symbols}
        return Shape.model_validate({**self.shape.model_dump(), **changes}) if changes else self.shape

    def to_json(self) -> str:
        """All of it, defaults with it, as JSON with sorted keys."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))

    @property
    def digest(self) -> str:
        """SHA-256 of `to_json`: the job's version."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()

    @property
    def recipe(self) -> str:
        """SHA-256 of all that decides which rows a content becomes: shape, instrument, clock, venue."""
        shape = self.effective_shape.model_dump(mode="json")
        said = [shape, self.map.instrument, self.target.venue]
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    @classmethod
    def from_json(cls, text: str) -> Specification:
        """What `to_json` wrote."""
        return cls.model_validate_json(text)


def parse(text: str, form: str) -> Specification:
    """The job that a text declares.

    Args:
        text: TOML, JSON or YAML.
        form: which of them: "toml", "json", "yaml".

    Raises:
        Refused: it is not of that form, or not a job; every problem with the path of its field, in YAML with its line.
    """
    try:
        document = read(text, form)
    except NotADocument as wrong:
        raise Refused([("", str(wrong))]) from None
    value = document.value
    if not isinstance(value, dict):
        raise Refused([("", "is not a table of fields")])
    try:
        return Specification.model_validate(value)
    except ValidationError as error:
        problems = [_problem(each, value) for each in error.errors()[:PROBLEMS_MAX]]
    told = []
    for path, words in problems:
        line = document.line_of(path)
        told.append((path, words if line is None else f"{words} (line {line})"))
    raise Refused(told)


def _problem(error: Any, value: dict[str, Any]) -> tuple[str, str]:
    """Path and words of one of pydantic's errors."""
    place = list(error["loc"])
    source = value.get("source")
    if place[:1] == ["source"] and len(place) > 1 and isinstance(source, dict) and place[1] == source.get("kind"):
        del place[1]  # pydantic names the member of the union as well
    path = ""
    for part in place:
        path += f"[{part}]" if isinstance(part, int) else f"{'.' if path else ''}{part}"
    words = error["msg"].removeprefix("Value error, ")
    if error["type"] == "extra_forbidden":
        words = "there is no such field"
    if not path and ": " in words:
        head, _, rest = words.partition(": ")
        if head in Specification.model_fields:
            path, words = head, rest
    return path, words
