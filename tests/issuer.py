"""An issuer of tests: a key pair, its JWKS, and tokens good and bad. It stands where identity stands."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

ISSUER = "https://localhost:8443"
"""What the topology of tests takes for the issuer, whatever port their edge has."""


def encoded(raw: bytes) -> str:
    """base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def compact(header: Any, claims: Any, signature: bytes) -> str:
    """A token of its parts; what is no text is written as JSON."""
    parts = [each if isinstance(each, str) else json.dumps(each) for each in (header, claims)]
    return ".".join([*(encoded(part.encode()) for part in parts), encoded(signature)])


class Issuer:
    """Signs with ES256, as identity does."""

    def __init__(self, key_id: str = "test-1", issuer: str = ISSUER) -> None:
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.key_id = key_id
        self.issuer = issuer

    def jwk(self) -> dict[str, str]:
        """The public key (RFC 7517)."""
        numbers = self.key.public_key().public_numbers()
        x, y = (encoded(each.to_bytes(32)) for each in (numbers.x, numbers.y))
        return {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": self.key_id, "alg": "ES256", "use": "sig"}

    def claims(self, roles: tuple[str, ...] = ("viewer",), **changes: Any) -> dict[str, Any]:
        """What a good token says; a change to None takes a claim out."""
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": "crossrate",
            "sub": "u-1",
            "client_id": "cli",
            "iat": now,
            "nbf": now,
            "exp": now + 300,
            "jti": str(uuid.uuid4()),
            "sid": "s-1",
            "name": "Test",
            "desk": "",
            "roles": list(roles),
            "accounts": ["*"],
            "amr": ["pwd", "otp"],
            "acr": "2",
            "auth_time": now,
            "rate_class": "high",
        } | changes
        return {name: value for name, value in claims.items() if value is not None}

    def header(self, **changes: Any) -> dict[str, Any]:
        """A good token's header."""
        header = {"alg": "ES256", "typ": "at+jwt", "kid": self.key_id} | changes
        return {name: value for name, value in header.items() if value is not None}

    def sign(self, header: Any, claims: Any) -> str:
        """A token, signed with ES256 whatever its header says."""
        signed = compact(header, claims, b"").rpartition(".")[0]
        r, s = utils.decode_dss_signature(self.key.sign(signed.encode(), ec.ECDSA(hashes.SHA256())))
        return f"{signed}.{encoded(r.to_bytes(32) + s.to_bytes(32))}"

    def token(self, roles: tuple[str, ...] = ("viewer",), **changes: Any) -> str:
        """A good token, but for the changes of its claims."""
        return self.sign(self.header(), self.claims(roles, **changes))

    async def __call__(self, scope: Mapping[str, Any], receive: Any, send: Any) -> None:
        """An ASGI application that serves the keys."""
        body = json.dumps({"keys": [self.jwk()]}).encode()
        headers = [(b"content-type", b"application/jwk-set+json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
