"""Secrets by SDS: certificates with their keys, and the roots that are trusted. Keys travel in the stream, never in a
file."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from services.control.state import KeyPair

ADS_SOURCE: Mapping[str, Any] = {"ads": {}, "resource_api_version": "V3"}
TRUST = "trust"
EDGE_SERVER = "server|edge"


def certificate_name(identity: str) -> str:
    """The secret with an identity's certificate and key."""
    return f"certificate|{identity}"


def _inline(text: str) -> dict[str, str]:
    return {"inline_bytes": base64.b64encode(text.encode()).decode()}


def certificate_secret(name: str, pair: KeyPair) -> dict[str, Any]:
    """A certificate with its key."""
    return {
        "name": name,
        "tls_certificate": {"certificate_chain": _inline(pair.chain_pem), "private_key": _inline(pair.key_pem)},
    }


def trust_secret(roots_pem: str) -> dict[str, Any]:
    """The roots that are trusted."""
    return {"name": TRUST, "validation_context": {"trusted_ca": _inline(roots_pem)}}


def validation(uri: Mapping[str, str]) -> dict[str, Any]:
    """What a peer has to prove: a certificate from a trusted root with a SPIFFE id that matches."""
    return {
        "default_validation_context": {"match_typed_subject_alt_names": [{"san_type": "URI", "matcher": dict(uri)}]},
        "validation_context_sds_secret_config": {"name": TRUST, "sds_config": ADS_SOURCE},
    }
