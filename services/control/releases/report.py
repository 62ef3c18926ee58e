"""A release as a report that is signed by control's own key, to be read and checked without the mesh."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

from crossrate.runtime.durable import write_private
from crossrate.transparency.note import Signer
from crossrate.transparency.release_report import FORMAT, sign
from services.control.releases.domain import Release
from services.control.releases.records import document_of


class Reports:
    """Signs reports. The key is made at first use; its public half lies beside it, for whoever checks.

    Args:
        folder: where the key is.
        mesh: the trust domain, of which the key is named.
    """

    def __init__(self, folder: Path, mesh: str) -> None:
        self._folder, self._mesh = folder, mesh
        self._signer: Signer | None = None

    @property
    def signer(self) -> Signer:
        """The key.

        Raises:
            OSError, NoteError: it cannot be read or made.
        """
        if self._signer is None:
            path = self._folder / "release-report.key"
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not path.exists():
                write_private(path, Signer.generate(f"{self._mesh}/control").secret + "\n")
            self._signer = Signer.parse(path.read_text())
            public = path.with_suffix(".pub")
            text = f"{self._signer.verifier}\n"
            if not public.exists() or public.read_text() != text:
                write_private(public, text)
        return self._signer

    def file(self, release: Release, now: dt.datetime) -> str:
        """The report of a release, signed.

        Raises:
            OSError, NoteError: see `signer`.
        """
        return sign(self._report(release, now), self.signer)

    def _report(self, release: Release, now: dt.datetime) -> dict[str, Any]:
        document = document_of(release)
        del document["told"]
        if release.specification.rolls:
            of = release.specification.instances
            for told, decision in zip(document["decisions"], release.decisions, strict=True):
                new = release.new_after(decision)
                told["instances"] = {"wanted": of, "new_version": new, "old_version": of - new}
        return {
            "format": FORMAT,
            "mesh": self._mesh,
            "report_time": now.isoformat(),
            "service": release.service,
            "version": release.specification.candidate.version,
            "services": [
                {"service": each.service, "version": each.candidate.version} for each in release.specification.released
            ],
            **document,
        }
