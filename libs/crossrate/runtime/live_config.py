"""Values that may change while a service runs: kept in NATS, checked before they apply, never worse than the last good.

The document of a service stands in the key-value bucket "config" under the service's name:

    {"version": 3, "values": {…}, "author": "…", "comment": "…", "create_time": "2026-01-31T12:00:00+00:00"}

`LiveConfig` is the reader, in every instance. `ConfigStore` is the writer, in control.
"""

from __future__ import annotations

import asyncio
import datetime
import inspect
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import structlog
from pydantic import BaseModel, ValidationError

from crossrate.events import Events, KeyValueEntry, WrongRevision
from crossrate.events.keyvalue import KeyValueWatch

BUCKET = "config"
DOCUMENT_BYTES_MAX = 65_536
COMMENT_CHARACTERS_MAX = 500

M = TypeVar("M", bound=BaseModel)
OnChange = Callable[[M], Awaitable[None] | None]


class ConfigError(Exception):
    """A stored document is not one."""


class ConfigConflict(Exception):
    """The configuration has another version than the caller read."""

    def __init__(self, expected: int, actual: int) -> None:
        super().__init__(f"the configuration is at version {actual}, not {expected}: read it again")
        self.expected = expected
        self.actual = actual


class NoSuchVersion(LookupError):
    """The version is not kept, or never was."""


@dataclass(frozen=True, slots=True)
class ConfigVersion:
    """One version of a service's values. Version 0 is what the program came with."""

    service: str
    version: int
    values: Mapping[str, Any]
    author: str = ""
    comment: str = ""
    create_time: datetime.datetime | None = None

    def encode(self) -> bytes:
        """The stored document.

        Raises:
            ValueError: it is larger than DOCUMENT_BYTES_MAX, or its values are not JSON.
        """
        document = {
            "version": self.version,
            "values": dict(self.values),
            "author": self.author,
            "comment": self.comment,
            "create_time": self.create_time.isoformat() if self.create_time else None,
        }
        encoded = json.dumps(document, allow_nan=False).encode()
        if len(encoded) > DOCUMENT_BYTES_MAX:
            raise ValueError(f"a configuration of {len(encoded)} bytes; at most {DOCUMENT_BYTES_MAX} are stored")
        return encoded

    @classmethod
    def decode(cls, service: str, value: bytes) -> ConfigVersion:
        """Reads a stored document.

        Raises:
            ConfigError: it is not one.
        """
        try:
            document = json.loads(value)
            created = document.get("create_time")
            return cls(
                service,
                int(document["version"]),
                dict(document["values"]),
                str(document.get("author", "")),
                str(document.get("comment", "")),
                datetime.datetime.fromisoformat(created) if created else None,
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ConfigError(f"the stored configuration of {service} is not a document: {error!r}") from error


class LiveConfig(Generic[M]):
    """The live values of this process, as a frozen model: read `current` anew each time they are used.

    Without a stored document they are the model's defaults, version 0. A document that the model refuses changes
    nothing: the last good values stay, and `error` says why.
    """

    def __init__(self, model: type[M], initial: M | None = None) -> None:
        self._model = model
        self._initial = initial if initial is not None else model()
        self._callbacks: list[OnChange] = []
        self._watch: KeyValueWatch | None = None
        self._service = ""
        self._log = structlog.get_logger()
        self.current: M = self._initial
        self.version = 0
        self.error = ""

    def check(self, values: Mapping[str, Any]) -> tuple[list[str], dict[str, Any]]:
        """What is wrong with some values, one entry a field; and the values as they would apply, defaults filled in.

        The second is empty if anything is wrong.
        """
        try:
            checked = self._parse(values)
        except ValidationError as error:
            return _problems(error), {}
        return [], checked.model_dump(mode="json")

    def on_change(self, callback: OnChange) -> None:
        """Calls back with the new values after each change; plain or asynchronous. One that fails is logged."""
        self._callbacks.append(callback)

    async def watch(self, events: Events) -> None:
        """Applies what is stored for this service and, from then on, each newer version; returns after the first.

        If NATS does not answer, the values that the program came with hold until it does.
        """
        self._service = events.service
        self._log = self._log.bind(config=events.service)
        self._watch = await events.kv(BUCKET).watch(events.service, self._arrived)

    @property
    def known(self) -> bool:
        """Whether what is stored has been read since the start. Until then `current` is what the program came with, on
        which a service does not act where it costs money."""
        return self._watch is not None and self._watch.answered

    async def close(self) -> None:
        """Stops watching; the values stay."""
        if self._watch:
            await self._watch.close()

    def _parse(self, values: Mapping[str, Any]) -> M:
        # Values are what a document changes; the program's own fill in the rest. An unknown name is a mistake.
        known = self._model.model_fields
        strange = [name for name in values if name not in known]
        if strange:
            raise ValidationError.from_exception_data(
                self._model.__name__,
                [{"type": "extra_forbidden", "loc": (name,), "input": values[name]} for name in strange],
            )
        merged = self._initial.model_dump(mode="json") | dict(values)
        # JSON, and strictly: "5" is not a number, but 5 may be a float.
        return self._model.model_validate_json(json.dumps(merged, allow_nan=False), strict=True)

    async def _arrived(self, entry: KeyValueEntry) -> None:
        try:
            document = (
                ConfigVersion(self._service, 0, {})
                if entry.value is None
                else ConfigVersion.decode(self._service, entry.value)
            )
            values = self._parse(document.values)
        except ValidationError as error:
            self._refuse(f"version {document.version}: " + "; ".join(_problems(error)))
        except (ConfigError, ValueError) as error:
            self._refuse(str(error))
        else:
            changed = values != self.current
            self.current, self.version, self.error = values, document.version, ""
            if changed:
                self._log.info("config_applied", version=document.version, author=document.author)
                await self._tell(values)

    def _refuse(self, reason: str) -> None:
        self.error = reason
        self._log.error("config_refused", reason=reason, kept_version=self.version)

    async def _tell(self, values: M) -> None:
        for callback in self._callbacks:
            try:
                result = callback(values)
                if inspect.isawaitable(result):
                    await result
            except Exception:
                self._log.exception("config_callback_failed", callback=repr(callback))


def _problems(error: ValidationError) -> list[str]:
    found = []
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        field = ".".join(str(part) for part in problem["loc"]) or "values"
        found.append(f"{field}: {problem['msg']}")
    return found


class ConfigStore:
    """Writes versions and keeps the last 64 of each service. Whether values are good is for the service to say."""

    def __init__(self, events: Events) -> None:
        self._bucket = events.kv(BUCKET)
        self._writing = asyncio.Lock()

    async def get(self, service: str) -> ConfigVersion:
        """What is in force; version 0 with no values if nothing was ever set.

        Raises:
            EventsUnavailable: NATS did not answer.
        """
        return (await self._read(service))[0]

    async def history(self, service: str) -> list[ConfigVersion]:
        """The versions that are kept, newest first."""
        entries = await self._bucket.history(service)
        kept = [ConfigVersion.decode(service, entry.value) for entry in entries if entry.value is not None]
        return kept[::-1]

    async def set(
        self,
        service: str,
        values: Mapping[str, Any],
        *,
        author: str,
        comment: str = "",
        expected_version: int = 0,
        now: datetime.datetime,
    ) -> ConfigVersion:
        """Stores the whole values of a service as its next version.

        `expected_version` is the version that the caller read; 0 to replace whatever is there.

        Raises:
            ConfigConflict: the version is another by now.
            ValueError: too large, or not JSON.
            EventsUnavailable: NATS did not answer; `get` tells whether it was stored.
        """
        async with self._writing:
            while True:
                present, revision = await self._read(service)
                if expected_version and present.version != expected_version:
                    raise ConfigConflict(expected_version, present.version)
                comment = comment[:COMMENT_CHARACTERS_MAX]
                fresh = ConfigVersion(service, present.version + 1, dict(values), author, comment, now)
                try:
                    await self._bucket.update(service, fresh.encode(), revision)
                except WrongRevision:
                    continue  # another control wrote between; it decides what is there now
                return fresh

    async def version(self, service: str, version: int) -> ConfigVersion:
        """One version of those that are kept.

        Raises:
            NoSuchVersion: it is not.
        """
        for kept in await self.history(service):
            if kept.version == version:
                return kept
        if version == 0:
            return ConfigVersion(service, 0, {})
        raise NoSuchVersion(f"{service} has no version {version} in its history")

    async def rollback(
        self, service: str, to_version: int, *, author: str, comment: str = "", expected_version: int = 0, now
    ) -> ConfigVersion:
        """Stores the values of an earlier version as the next one; the history only grows.

        Raises:
            NoSuchVersion: the version is not kept.
            ConfigConflict: as in `set`.
        """
        old = await self.version(service, to_version)
        comment = comment or f"back to version {to_version}"
        return await self.set(
            service, old.values, author=author, comment=comment, expected_version=expected_version, now=now
        )

    async def _read(self, service: str) -> tuple[ConfigVersion, int]:
        entry = await self._bucket.newest(service)
        if entry is None:
            return ConfigVersion(service, 0, {}), 0
        if entry.value is None:
            # Deleted by hand: numbers go on behind the last one that was given.
            kept = await self.history(service)
            return ConfigVersion(service, kept[0].version if kept else 0, {}), entry.revision
        return ConfigVersion.decode(service, entry.value), entry.revision
