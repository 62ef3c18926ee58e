"""Releases on disk: written before anything follows from them, so that a control plane that was killed goes on where it
was."""

from __future__ import annotations

import datetime as dt
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from crossrate.runtime.durable import write_private
from services.control.releases.domain import CallsSeen, Decision, Finding, Kind, Phase, Release, Tally
from services.control.releases.specification import Specification
from services.control.shadow.seen import read_seen

KEPT_MAX = 100
"""Releases kept, the newest; those under way always are."""


def document_of(release: Release) -> dict[str, Any]:
    """A release as JSON."""
    return {
        "release_id": release.release_id,
        "name": release.name,
        "specification": release.specification.model_dump(mode="json"),
        "create_time": release.create_time.isoformat(),
        "phase": str(release.phase),
        "paused": release.paused,
        "step": release.step,
        "step_time": release.step_time.isoformat() if release.step_time else None,
        "weight": release.weight,
        "decisions": [
            {
                "time": d.time.isoformat(),
                "kind": str(d.kind),
                "cause": d.cause,
                "by": d.by,
                "step": d.step,
                "weight": d.weight,
                "evidence": d.evidence,
                "tally": asdict(d.tally),
            }
            for d in release.decisions
        ],
        "calls": [asdict(c) for c in release.calls],
        "told": release.told,
        "findings": [asdict(f) for f in release.findings],
        "shadow": asdict(release.shadow) if release.shadow is not None else None,
    }


def read_release(document: dict[str, Any]) -> Release:
    """A release from its JSON.

    Raises:
        ValueError, KeyError, TypeError: it is not one.
    """
    decisions = tuple(
        Decision(
            dt.datetime.fromisoformat(d["time"]),
            Kind(d["kind"]),
            d["cause"],
            d["by"],
            int(d["step"]),
            int(d["weight"]),
            tuple(d.get("evidence", ())),
            Tally(**d.get("tally", {})),
        )
        for d in document["decisions"]
    )
    step_time = document["step_time"]
    return Release(
        release_id=document["release_id"],
        name=document["name"],
        specification=Specification.model_validate(document["specification"]),
        create_time=dt.datetime.fromisoformat(document["create_time"]),
        phase=Phase(document["phase"]),
        paused=bool(document["paused"]),
        step=int(document["step"]),
        step_time=dt.datetime.fromisoformat(step_time) if step_time else None,
        weight=int(document["weight"]),
        decisions=decisions,
        calls=tuple(CallsSeen(**entry) for entry in document["calls"]),
        told=int(document.get("told", 0)),
        findings=tuple(Finding(**entry) for entry in document["findings"]),
        shadow=read_seen(document["shadow"]) if document.get("shadow") else None,
    )


class Records:
    """All releases by id, oldest first, in one file that is replaced as a whole.

    What cannot be read is put aside and logged, one release alone or the file: its stable version goes on serving, and
    its candidates are ended.
    """

    def __init__(self, path: Path, log: Any) -> None:
        self._path = path
        self.releases: dict[str, Release] = {}
        try:
            documents = list(json.loads(path.read_text()))
        except FileNotFoundError:
            documents = []
        except (OSError, ValueError, TypeError) as error:
            aside = path.with_suffix(".unreadable")
            log.error("releases cannot be read and are put aside", path=str(aside), reason=str(error))
            path.replace(aside)
            documents = []
        for place, document in enumerate(documents):
            try:
                release = read_release(document)
            except (ValueError, KeyError, TypeError) as error:
                # A specification that another version of control took.
                aside = path.with_name(f"release-{_id_of(document) or place}.unreadable")
                log.error("a release cannot be read and is put aside", path=str(aside), reason=str(error))
                write_private(aside, json.dumps(document, indent=1) + "\n")
            else:
                self.releases[release.release_id] = release

    def active(self, service: str) -> Release | None:
        """The release of a service that is under way."""
        return next((r for r in self.releases.values() if service in r.services and not r.phase.over), None)

    def name_of(self, release_id: str) -> str:
        """The name of a release; its id if it is none of these."""
        known = self.releases.get(release_id)
        return release_id if known is None else known.name

    def keep(self, release: Release) -> None:
        """Writes a release; when it returns, it is on disk.

        Raises:
            OSError: it cannot be written.
        """
        self.releases[release.release_id] = release
        over = [r.release_id for r in self.releases.values() if r.phase.over]
        for release_id in over[: max(0, len(self.releases) - KEPT_MAX)]:
            del self.releases[release_id]
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_private(self._path, json.dumps([document_of(r) for r in self.releases.values()], indent=1) + "\n")


def _id_of(document: Any) -> str:
    given = document.get("release_id") if isinstance(document, dict) else None
    return given if isinstance(given, str) and re.fullmatch(r"[\w-]{1,64}", given) else ""
