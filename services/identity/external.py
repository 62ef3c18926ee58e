"""Another provider: its tokens, verified by its keys, with its claims as grants of ours; and the way to its login.

The way is OpenID Connect's authorization code with PKCE, state, nonce and, where the provider says its name in the
answer, that name (RFC 9207); Authlib speaks it.
"""

from __future__ import annotations

import hmac
import json
import re
import secrets
import ssl
import time
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.identity import jose
from services.identity.domain.access import ROLES
from services.identity.domain.session import Wanted, acr_of
from services.identity.settings import External

KEYS_KEPT_S = 3600
KEYS_AGAIN_S = 30
"""How soon after the last time its keys are asked for again, for a key that is not known."""
ANSWER_BYTES_MAX = 1 << 20
ANSWER_S_MAX = 5.0
AS_JSON = {"accept": "application/json"}
LEEWAY_S = 30
LISTED_MAX = 200
_ACCOUNT = re.compile(r"[a-z0-9][a-z0-9-]{0,31}\*?|\*")
_INSTRUMENT = re.compile(r"[A-Z]{3}/([A-Z]{3}|\*)|\*")


class ExternalRefused(Exception):
    """The token is not taken, or the provider cannot be asked."""


class NotProved(ExternalRefused):
    """Somebody is logged in there, and has not proved what a program wants."""


class ExternalProvider:
    """Verifies and maps."""

    def __init__(self, settings: External, transport: httpx.AsyncBaseTransport | None = None) -> None:
        self._settings = settings
        self._transport = transport
        self._known: dict[str, Any] = {}
        self._known_s = float("-inf")
        self._keys: KeySet | None = None
        self._asked_s = float("-inf")

    @property
    def logs_in(self) -> bool:
        """Whether persons log in there."""
        return bool(self._settings.client_id)

    @property
    def local_login(self) -> bool:
        """Whether our own passwords are taken."""
        return not self.logs_in or self._settings.local_login

    @property
    def session_life_s(self) -> int:
        """Life of the sessions that it opens."""
        return self._settings.session_life_s

    @property
    def host(self) -> str:
        """Its name, for people."""
        return urlsplit(self._settings.issuer).hostname or ""

    def _options(self) -> dict[str, Any]:
        roots = self._settings.ca_file
        trust: Any = ssl.create_default_context(cafile=roots) if roots else True
        return {"verify": trust, "transport": self._transport, "timeout": ANSWER_S_MAX, "follow_redirects": False}

    async def ask(self, redirect_uri: str, wanted: Wanted) -> tuple[str, str]:
        """Where a browser is sent to log in, and what has to be kept until it comes back, JSON.

        Args:
            wanted: what is to be proved there; it is looked at again in `answered`.

        Raises:
            ExternalRefused: the provider cannot be asked.
        """
        known = await self._discovered()
        kept = {name: secrets.token_urlsafe(32) for name in ("state", "nonce")}
        verifier = secrets.token_urlsafe(48)
        more = {"nonce": kept["nonce"], "code_challenge_method": "S256"}
        if wanted.max_age_s is not None:
            more["max_age"] = str(wanted.max_age_s)
        if wanted.second and self._settings.step_up_acr:
            more["acr_values"] = self._settings.step_up_acr
        url = prepare_grant_uri(
            known["authorization_endpoint"],
            self._settings.client_id,
            "code",
            redirect_uri,
            self._settings.scope,
            kept["state"],
            code_challenge=create_s256_code_challenge(verifier),
            **more,
        )
        asked = {"verifier": verifier, "second": wanted.second, "max_age_s": wanted.max_age_s, **kept}
        return url, json.dumps(asked)

    async def answered(self, kept: str, answer: dict[str, str], redirect_uri: str, now_s: float) -> str:
        """What the provider says of who has logged in there, as `said` does.

        Args:
            kept: as `ask` gave it, for this browser.
            answer: the parameters with which the browser came back.

        Raises:
            ExternalRefused: no, or nothing that can be believed.
        """
        asked, known = json.loads(kept), await self._discovered()
        if not hmac.compare_digest(answer.get("state", "").encode(), asked["state"].encode()):
            raise ExternalRefused("the answer is to another request")
        names_itself = known.get("authorization_response_iss_parameter_supported") is True
        if (names_itself or "iss" in answer) and answer.get("iss") != self._settings.issuer:
            raise ExternalRefused("another provider answered")
        if "code" not in answer:
            raise ExternalRefused(f"the provider says {answer.get('error', 'nothing')[:64]!r}")
        form = {"code": answer["code"], "redirect_uri": redirect_uri, "code_verifier": asked["verifier"]}
        told = await self._token(known["token_endpoint"], {"grant_type": "authorization_code"} | form)
        claims = await self._verified(str(told.get("id_token", "")), now_s, self._settings.client_id)
        if claims.get("nonce") != asked["nonce"]:
            raise ExternalRefused("the token is of another login")
        if claims.get("azp", self._settings.client_id) != self._settings.client_id:
            raise ExternalRefused("the token was made for another program")
        try:
            said = self._mapped(claims, now_s)
        except jose.Refused as error:
            raise ExternalRefused(str(error)) from None
        self._proved(Wanted(asked["second"], asked["max_age_s"]), said, now_s)
        return json.dumps(said, sort_keys=True)

    async def _token(self, place: str, form: dict[str, str]) -> dict[str, Any]:
        """What the token endpoint gives for a form."""
        name, secret = self._settings.client_id, self._settings.client_secret.get_secret_value()
        # Form-encoded before they are put together (RFC 6749, 2.3.1).
        proof = httpx.BasicAuth(quote(name, safe=""), quote(secret, safe="")) if secret else None
        try:
            async with httpx.AsyncClient(**self._options()) as client:
                if proof is None:
                    form = form | {"client_id": name}
                return self._read(await client.post(place, data=form, auth=proof, headers=AS_JSON))
        except (httpx.HTTPError, ValueError) as error:
            raise ExternalRefused(f"the code was not taken: {error}") from None

    @staticmethod
    def _proved(wanted: Wanted, said: dict[str, Any], now_s: float) -> None:
        """Looks at what was asked for: a provider may leave it out.

        Raises:
            NotProved: it did.
        """
        if wanted.second and acr_of(tuple(said["methods"])) != "2":
            raise NotProved("it does not say that a second factor was proved (`amr`, `acr`)")
        if wanted.max_age_s is not None and now_s - said["auth_s"] > max(wanted.max_age_s, 1) + LEEWAY_S:
            raise NotProved("the last proof there is too old (`auth_time`)")

    async def said(self, token: str, now_s: float) -> str:
        """What a token says of its subject, in our words, JSON: subject, shown, desk, roles, accounts, instruments,
        methods, auth_s.

        Raises:
            ExternalRefused: it is refused.
        """
        claims = await self._verified(token, now_s, self._settings.audience or self._settings.client_id)
        try:
            return json.dumps(self._mapped(claims, now_s), sort_keys=True)
        except jose.Refused as error:
            raise ExternalRefused(f"{type(error).__name__}: {error}") from None

    async def _verified(self, token: str, now_s: float, audience: str) -> dict[str, Any]:
        """The claims of a token of the provider for that audience."""
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
            self._check(claims, now_s, audience)
            return claims
        except (JoseError, ValueError, jose.Refused) as error:
            raise ExternalRefused(f"{type(error).__name__}: {error}") from None

    def _check(self, claims: dict[str, Any], now_s: float, wanted: str) -> None:
        if claims.get("iss") != self._settings.issuer:
            raise jose.Refused("the issuer is another")
        audience = claims.get("aud")
        if not wanted or wanted not in (audience if isinstance(audience, list) else [audience]):
            raise jose.Refused("the audience is another")
        for name, values in self._settings.require.items():
            if not set(_listed(claims, name)) & set(values):
                raise jose.Refused(f"{name} is none of those that are let in")
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
        two = bool(set(methods) & set(settings.second_factor_amr)) or claims.get("acr") in settings.second_factor_acr
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
        place = self._settings.jwks_uri or (await self._discovery())["jwks_uri"]
        async with httpx.AsyncClient(**self._options()) as client:
            document = await self._get(client, place)
        kinds = ("RSA", "EC", "OKP")
        public = [key for key in document["keys"] if key.get("kty") in kinds and key.get("use", "sig") == "sig"]
        return KeySet.import_key_set({"keys": public})

    async def _discovered(self) -> dict[str, Any]:
        """Where everything is.

        Raises:
            ExternalRefused: nothing that can be used is known.
        """
        if time.monotonic() - self._known_s > KEYS_KEPT_S:
            try:
                self._known, self._known_s = await self._discovery(), time.monotonic()
            except (httpx.HTTPError, ValueError) as error:
                if not self._known:
                    raise ExternalRefused(f"the provider cannot be asked: {error}") from None
        if not {"authorization_endpoint", "token_endpoint"} <= self._known.keys():
            raise ExternalRefused("the provider's discovery document names no login")
        return self._known

    async def _discovery(self) -> dict[str, Any]:
        issuer = self._settings.issuer
        async with httpx.AsyncClient(**self._options()) as client:
            found = await self._get(client, f"{issuer.rstrip('/')}/.well-known/openid-configuration")
        if found.get("issuer") != issuer:
            raise ValueError("its discovery document names another issuer")
        for name in ("jwks_uri", "authorization_endpoint", "token_endpoint"):
            if not str(found.get(name, "https://")).startswith("https://"):
                raise ValueError(f"its {name} is not at an https address")
        return found

    async def _get(self, client: httpx.AsyncClient, place: str) -> dict[str, Any]:
        return self._read(await client.get(place, headers=AS_JSON))

    @staticmethod
    def _read(answer: httpx.Response) -> dict[str, Any]:
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
