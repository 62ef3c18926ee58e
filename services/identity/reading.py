"""What a token, or an API key, says now: its signature, its times, its session and its grants."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from datetime import datetime
from typing import Any

from crossrate.rpc.http_listener import Seen
from crossrate.store.database import Database
from services.identity import jose
from services.identity.oauth.loading import KEY_PREFIX, limited, session_bearer, subject_bearer
from services.identity.oauth.tokens import certificate_of
from services.identity.signing import Signer
from services.identity.store import programs, tokens
from services.identity.vault import digest

SECRET_PREFIX = "xrk_"
"""An API key's secret is this, its id and 256 bits: "xrk_k-….…"."""

INACTIVE: dict[str, Any] = {"active": False}


def key_id_of(secret: str) -> str:
    """The id in an API key's secret; "" if it is none."""
    key_id = secret.removeprefix(SECRET_PREFIX).partition(".")[0]
    return key_id if secret.startswith(SECRET_PREFIX + KEY_PREFIX) else ""


class Reading:
    """Reads tokens."""

    def __init__(self, database: Database, signer: Signer, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._signer = signer
        self._clock = clock

    @staticmethod
    def certificate(seen: Seen) -> str:
        """The certificate of a request as tokens name it."""
        return certificate_of(seen)

    async def introspect(self, token: str) -> dict[str, Any]:
        """The claims of a token that is good now, with "active": True; else INACTIVE.

        Raises:
            StoreUnavailable: the database is away.
        """
        if key_id := key_id_of(token[: jose.TOKEN_CHARS_MAX]):
            return await self._api_key(key_id, token)
        now = self._clock()
        try:
            claims = self._signer.read(token, now.timestamp())
            issued = jose.number(claims, "iat")
        except jose.Refused:
            return INACTIVE
        async with self._database.connection() as connection:
            session = await tokens.find_session(connection, claims["sid"])
            if session is None or session.revoked or session.subject != claims["sub"]:
                return INACTIVE
            bearer = await session_bearer(connection, session.session_id, session.subject)
        if bearer is None or issued <= bearer.access_until:
            return INACTIVE
        return {"active": True, "token_type": "Bearer", **claims}

    async def _api_key(self, key_id: str, secret: str) -> dict[str, Any]:
        now = self._clock()
        async with self._database.connection() as connection:
            key = await programs.find_api_key(connection, key_id)
            if key is None or not key.good(now) or not hmac.compare_digest(digest(secret), key.secret_sha256):
                return INACTIVE
            bearer = limited(await subject_bearer(connection, key.subject), key.limit)
        if bearer is None:
            return INACTIVE
        said: dict[str, Any] = {
            "active": True,
            "token_type": "api_key",
            "iss": self._signer.issuer,
            "sub": bearer.subject,
            "client_id": key.key_id,
            "name": bearer.shown,
            "desk": bearer.desk,
            "roles": sorted(bearer.access.roles),
            "accounts": sorted(bearer.access.accounts),
            "amr": ["pwd"],
            "acr": "1",
            "exp": int(key.expire_time.timestamp()),
            "rate_class": key.rate_class,
            "sid": "",
        }
        if "*" not in bearer.access.instruments:
            said["instruments"] = sorted(bearer.access.instruments)
        return said
