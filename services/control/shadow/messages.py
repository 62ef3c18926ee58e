"""What a shadow has found, as the contract has it."""

from __future__ import annotations

from dataclasses import asdict

from crossrate.api.control.v1 import release_pb2, shadow_pb2
from services.control.shadow.seen import ShadowSeen


def _outcome(name: str) -> release_pb2.ReleaseOutcome:
    return release_pb2.ReleaseOutcome.Value(f"RELEASE_OUTCOME_{name}")


def report(seen: ShadowSeen) -> shadow_pb2.ShadowReport:
    """A report."""
    message = shadow_pb2.ShadowReport(
        outcome=_outcome(seen.outcome),
        explanation=seen.explanation,
        calls=seen.calls,
        calls_needed=seen.calls_needed,
        dropped=seen.dropped,
    )
    for method in seen.methods:
        told = message.methods.add(
            method=method.method,
            manner=shadow_pb2.ShadowManner.Value(f"SHADOW_MANNER_{method.manner}"),
            outcome=_outcome(method.outcome),
            calls=method.calls,
            replayed=method.replayed,
            skipped=method.skipped,
        )
        for field in method.fields:
            told.fields.add(**(asdict(field) | {"outcome": _outcome(field.outcome)}))
    return message
