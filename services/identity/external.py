"""Another provider's tokens: verified by its keys, and its claims as grants of ours."""

from __future__ import annotations

import json
import re
import ssl
import time
from collections.abc import Callable
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.identity import jose
from services.identity.domain.access import ROLES
from services.identity.settings import External

KEYS_KEPT_S = 3600
KEYS_AGAIN_S = 30
"""How soon after the last time its keys are asked for again, for a key that is not known."""
ANSWER_BYTES_MAX = 1 << 20
LEEWAY_S = 30
LISTED_MAX = 200
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\*?|\*")
_INSTRUMENT = re.compile(r"[A-Z]{3}/([A-Z]{3}|\*)|\*")


class ExternalRefused(Exception):
    """The token is not taken, or the provider cannot be asked."""


class ExternalProvider:
    """Verifies and maps. `opened` makes the HTTP client, a test's own otherwise."""

    def __init__(self, settings: External, opened: Callable[[], httpx.AsyncClient] | None = None) -> None:
        self._settings = settings
        self._opened = opened or self._open
        self._keys: KeySet | None = None
        self._asked_s = float("-inf")

    def _open(self) -> httpx.AsyncClient:
        roots = self._settings.ca_file
        trust: Any = ssl.create_default_context(cafile=roots) if roots else True
        return httpx.AsyncClient(verify=trust, timeout=5.0, follow_redirects=False)

    async def said(self, token: str, now_s: float) -> str:
        """What a token says of its subject, in our words, JSON: subject, shown, desk, roles, accounts, instruments,
        methods, auth_s.

        Raises:
            ExternalRefused: it is refused.
        """
        try:
            header, _ = jose.looked_at(token, self._settings.algorithms, None)
        except jose.Refused as first:
            try:
                header, _ = jose.looked_at(token, self._settings.algorithms, "at+jwt")
            except jose.Refused:
                raise ExternalRefused(str(first)) from None
        keys = await self._keys_with(header.get("kid", ""))
        try:
            claims = jwt.decode(token, keys, algorithms=list(self._settings.algorithms)).claims
            self._check(claims, now_s)
            return json.dumps(self._mapped(claims, now_s), sort_keys=True)
        except (JoseError, ValueError, jose.Refused) as error:
            raise ExternalRefused(f"{type(error).__name__}: {error}") from None

    def _check(self, claims: dict[str, Any], now_s: float) -> None:
        if claims.get("iss") != self._settings.issuer:
            raise jose.Refused("the issuer is another")
        audience = claims.get("aud")
        if self._settings.audience not in (audience if isinstance(audience, list) else [audience]):
            raise jose.Refused("the audience is another")
        if jose.number(claims, "exp") <= now_s - LEEWAY_S:
            raise jose.Refused("it has expired")
        if jose.number(claims, "iat") > now_s + LEEWAY_S:
            raise jose.Refused("it is of the future")
        if "nbf" in claims and jose.number(claims, "nbf") > now_s + LEEWAY_S:
            raise jose.Refused("it is not good yet")

    def _mapped(self, claims: dict[str, Any], now_s: float) -> dict[str, Any]:
        settings = self._settings
        name = jose.word(claims, settings.subject_claim, 64).partition("@")[0].lower()
        # Their names must not be taken for ours, whoever has the same.
        subject = "x-" + re.sub(r"[^a-z0-9-]+", "-", name).strip("-")[:30]
        if subject == "x-":
            raise jose.Refused("the subject is no name")
        words = _listed(claims, settings.roles_claim)
        roles = {role for word in words for role in settings.roles.get(word, ())} & set(ROLES)
        accounts = [w for w in _listed(claims, settings.accounts_claim) if _ACCOUNT.fullmatch(w)]
        instruments = [w for w in _listed(claims, settings.instruments_claim) if _INSTRUMENT.fullmatch(w)]
        methods = [w for w in _listed(claims, "amr") if re.fullmatch(r"[a-z0-9]{1,16}", w)]
        two = bool(set(methods) & set(settings.second_factor_amr))
        desk = next(iter(_listed(claims, settings.desk_claim)), settings.desk)
        return {
            "subject": subject,
            "shown": str(claims.get("name") or name)[:128],
            "desk": desk if re.fullmatch(r"[a-z0-9][a-z0-9-]{0,31}", desk) else settings.desk,
            "roles": sorted(roles),
            "accounts": sorted(accounts or settings.accounts),
            "instruments": sorted(instruments or settings.instruments),
            "methods": ["pwd", "mca"] if two else ["pwd"],
            "auth_s": jose.number(claims, "auth_time") if "auth_time" in claims else jose.number(claims, "iat"),
        }

    async def _keys_with(self, kid: str) -> KeySet:
        age_s = time.monotonic() - self._asked_s
        known = self._keys is not None and (not kid or any(key.kid == kid for key in self._keys.keys))
        if self._keys is None or age_s > KEYS_KEPT_S or (not known and age_s > KEYS_AGAIN_S):
            self._asked_s = time.monotonic()
            try:
                self._keys = await self._fetch()
            except (httpx.HTTPError, ValueError, KeyError, TypeError, JoseError) as error:
                if self._keys is None:
                    raise ExternalRefused(f"the provider's keys cannot be read: {error}") from None
        return self._keys

    async def _fetch(self) -> KeySet:
        async with self._opened() as client:
            place = self._settings.jwks_uri
            if not place:
                discovery = await self._get(
                    client, f"{self._settings.issuer.rstrip('/')}/.well-known/openid-configuration"
                )
                if discovery.get("issuer") != self._settings.issuer:
                    raise ValueError("its discovery document names another issuer")
                place = discovery["jwks_uri"]
                if not place.startswith("https://"):
                    raise ValueError("its keys are not at an https address")
            document = await self._get(client, place)
        kinds = ("RSA", "EC", "OKP")
        public = [key for key in document["keys"] if key.get("kty") in kinds and key.get("use", "sig") == "sig"]
        return KeySet.import_key_set({"keys": public})

    async def _get(self, client: httpx.AsyncClient, place: str) -> dict[str, Any]:
        answer = await client.get(place, headers={"accept": "application/json"})
        answer.raise_for_status()
        if len(answer.content) > ANSWER_BYTES_MAX:
            raise ValueError("its answer is too large")
        document = answer.json()
        if not isinstance(document, dict):
            raise ValueError("its answer is no object")
        return document


def _listed(claims: dict[str, Any], path: str) -> list[str]:
    value: Any = claims
    for name in path.split(".") if path else ():
        value = value.get(name) if isinstance(value, dict) else None
    if not path:
        return []
    words = value if isinstance(value, list) else [value]
    return [word for word in words if isinstance(word, str)][:LISTED_MAX]
