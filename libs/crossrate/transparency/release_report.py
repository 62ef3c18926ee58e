"""Reports of releases, signed: what was specified, decided, seen and judged, checked with a public key alone.

    {"report": {…}, "signatures": ["— name base64", …]}

What is signed is the report in canonical JSON (RFC 8785) and a newline, as the text of a note (C2SP signed-note).
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from crossrate.basics.canonical import canonical_json
from crossrate.transparency.note import Note, NoteError, Signer, Verifier

FORMAT = "crossrate.release-report/1"
REPORT_BYTES_MAX = 16 << 20
"""Largest file that is read."""


class ReportError(ValueError):
    """A report cannot be read, or nobody who is trusted has signed it; the message says which."""


def _text(report: Mapping[str, Any]) -> str:
    return canonical_json(report) + "\n"


def sign(report: Mapping[str, Any], signer: Signer) -> str:
    """A report with its signature, as a file has it.

    Raises:
        ValueError, TypeError: it is no JSON.
    """
    signed = {"report": report, "signatures": [signer.sign(_text(report))]}
    return canonical_json(signed) + "\n"


def verify(file: str, keys: Collection[Verifier]) -> Mapping[str, Any]:
    """The report in a file, if one of some keys has signed it.

    Raises:
        ReportError: it is none, or none of them has.
    """
    try:
        document = json.loads(file)
        report, lines = document["report"], "".join(document["signatures"])
        text = _text(report)
        signatures = Note.parse(f"report\n\n{lines}").signatures
    except (ValueError, TypeError, KeyError) as error:
        raise ReportError(f"no signed report: {error}") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise ReportError(f"no report of format {FORMAT}")
    try:
        signed = Note(text, signatures).signed_by(keys)
    except NoteError as error:
        raise ReportError(f"it was changed after it was signed: {error}") from None
    if not signed:
        told = ", ".join(f"{name}+{key_id.hex()}" for name, key_id, _ in signatures)
        raise ReportError(f"it is signed by {told}, which is not the key that was given")
    return report
