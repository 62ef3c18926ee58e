"""The endpoints that programs call: tokens, revocation, introspection, device codes, keys, discovery, who am I."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from crossrate.store.errors import OutcomeUnknown, StaleWriter, StoreUnavailable
from services.identity import jose
from services.identity.domain.client import ASSERTION_ALGORITHMS, PERSONS
from services.identity.domain.device import ALPHABET, CODE_CHARS, INTERVAL_S, LIFE_S, shown
from services.identity.domain.session import Wanted
from services.identity.oauth.deciding import EXCHANGE
from services.identity.oauth.models import SCOPES, allowed_scope
from services.identity.oauth.tokens import REFRESH_PREFIX, Contended, Tokens
from services.identity.reading import Reading
from services.identity.signing import ALGORITHM, NoKey
from services.identity.store import devices, programs, tokens
from services.identity.store.ending import revoke_session
from services.identity.store.writing import Change, Origin
from services.identity.vault import new_secret
from services.identity.web.forms import BadForm, form_of
from services.identity.web.site import Site

Answer = Callable[[Request], Awaitable[Response]]
PUBLIC_S = 60
"""How long keys and discovery may be kept by who has read them."""
NO_STORE = {"cache-control": "no-store", "pragma": "no-cache"}


def error(status: int, word: str, description: str, **headers: str) -> Response:
    """An error as OAuth says it (RFC 6749, 5.2)."""
    return JSONResponse({"error": word, "error_description": description}, status, headers=NO_STORE | headers)


class Endpoints:
    """Everything that programs call."""

    def __init__(self, site: Site, giving: Tokens, reading: Reading) -> None:
        self._site = site
        self._giving = giving
        self._reading = reading

    def handler(self, answer: Answer) -> Answer:
        """An endpoint as Starlette calls it: what is malformed, too often or impossible now has its answer."""

        async def handle(request: Request) -> Response:
            try:
                return await answer(request)
            except BadForm as bad:
                return error(400, "invalid_request", str(bad))
            except (StoreUnavailable, StaleWriter, OutcomeUnknown, NoKey, Contended) as away:
                self._site.log.warning("a request cannot be answered now", error=type(away).__name__)
                return error(503, "temporarily_unavailable", "Try again in a moment.", **{"retry-after": "1"})

        return handle

    async def token(self, request: Request) -> Response:
        """The token endpoint."""
        form, seen = await form_of(request), self._site.seen(request)
        key = form.get("client_id", "") or seen.address
        decision = await self._giving.answer(form, request.headers.get("authorization", ""), seen)
        failed = decision.body.get("error") in ("invalid_client", "invalid_grant")
        # Guessing is bounded; who proves himself is not.
        if failed and (wait_s := self._site.tries.take(f"token {seen.address} {key}"[:128])):
            return error(429, "slow_down", "Too many failures.", **{"retry-after": str(int(wait_s) + 1)})
        headers = NO_STORE | {name.lower(): value for name, value in decision.headers}
        headers.pop("content-type", None)
        return JSONResponse(decision.body, decision.status, headers=headers)

    async def revoke(self, request: Request) -> Response:
        """Ends the session of a token (RFC 7009): the refresh token's, or the access token's."""
        form, seen = await form_of(request), self._site.seen(request)
        token = form.get("token", "")
        if not token:
            return error(400, "invalid_request", "The token is missing.")
        session_id = ""
        async with self._site.database.connection() as connection:
            if token.startswith(REFRESH_PREFIX):
                refresh = await tokens.find_refresh(connection, token)
                session_id = refresh.session_id if refresh is not None else ""
            else:
                try:
                    now_s = self._site.clock().timestamp()
                    session_id = self._site.signer.read(token, now_s, late=True)["sid"]
                except jose.Refused:
                    session_id = ""
            session = await tokens.find_session(connection, session_id) if session_id else None
        if session is None or form.get("client_id", session.client_id) != session.client_id:
            # Nothing to tell from whether it was one (RFC 7009, 2.2).
            return JSONResponse({}, headers=NO_STORE)

        async def work(change: Change) -> None:
            await revoke_session(change, session_id, "LOGOUT")

        origin = Origin(principal=f"client:{session.client_id}", address=seen.address, request_id=seen.request_id)
        await self._site.writer.change(origin, work)
        return JSONResponse({}, headers=NO_STORE)

    async def introspect(self, request: Request) -> Response:
        """What a token says (RFC 7662), to who holds one: its own, or any as an operator, auditor or admin."""
        form = await form_of(request)
        asking = await self._bearer(request)
        if asking is None:
            return self._no_token()
        said = await self._reading.introspect(form.get("token", ""))
        may = {"operator", "auditor", "admin"} & set(asking.get("roles", ()))
        if not said.get("active") or not (may or said["sub"] == asking["sub"]):
            said = {"active": False}
        return JSONResponse(said, headers=NO_STORE)

    async def userinfo(self, request: Request) -> Response:
        """Who a token speaks for, and what it allows."""
        said = await self._bearer(request)
        if said is None:
            return self._no_token()
        named = ("sub", "name", "desk", "roles", "accounts", "instruments", "acr", "amr", "auth_time", "sid", "exp")
        told = {name: said[name] for name in named if name in said}
        return JSONResponse(told | {"preferred_username": said["sub"]}, headers=NO_STORE)

    async def _bearer(self, request: Request) -> dict[str, Any] | None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        said = await self._reading.introspect(token)
        bound = said.get("cnf", {}).get("x5t#S256")
        if not said.get("active") or (bound and bound != self._reading.certificate(self._site.seen(request))):
            return None
        return said

    @staticmethod
    def _no_token() -> Response:
        challenge = {"www-authenticate": 'Bearer realm="crossrate", error="invalid_token"'}
        return JSONResponse({"error": "invalid_token"}, 401, headers=NO_STORE | challenge)

    async def device(self, request: Request) -> Response:
        """Codes for a program that waits on another device (RFC 8628, 3.1)."""
        site, form, seen = self._site, await form_of(request), self._site.seen(request)
        if wait_s := site.tries.take(f"device {seen.address}"):
            return error(429, "slow_down", "Too many requests.", **{"retry-after": str(int(wait_s) + 1)})
        async with site.database.connection() as connection:
            client = await programs.find_client(connection, form.get("client_id", ""))
            if client is None or client.disabled or client.grant_types != PERSONS:
                return error(401, "invalid_client", "The client is not one through which persons log in.")
            secret, expire = new_secret(), site.clock() + timedelta(seconds=LIFE_S)
            code = "".join(secrets.choice(ALPHABET) for _ in range(CODE_CHARS))
            kept = await devices.add_device(
                connection,
                secret,
                code,
                client_id=client.name,
                scope=allowed_scope(form.get("scope")),
                address=seen.address,
                expire_time=expire,
                interval_s=INTERVAL_S,
                wanted=Wanted.of(form.get("acr_values", ""), form.get("max_age", "")),
            )
        if not kept:
            return error(503, "temporarily_unavailable", "Try again.", **{"retry-after": "1"})
        place = f"{site.issuer}/device"
        body = {
            "device_code": secret,
            "user_code": shown(code),
            "verification_uri": place,
            "verification_uri_complete": f"{place}?user_code={shown(code)}",
            "expires_in": LIFE_S,
            "interval": INTERVAL_S,
        }
        return JSONResponse(body, headers=NO_STORE)

    async def key_set(self, request: Request) -> Response:
        """The public keys that tokens are signed with."""
        document = self._site.signer.key_set(self._site.clock().timestamp())
        refresh_s = min(PUBLIC_S, self._site.settings.jwks_refresh_s)
        return JSONResponse(document, headers={"cache-control": f"public, max-age={refresh_s}"})

    async def discovery(self, request: Request) -> Response:
        """Where everything is (OpenID Connect Discovery 1.0, RFC 8414)."""
        issuer = self._site.issuer
        document = {
            "issuer": issuer,
            "authorization_endpoint": f"{issuer}/oauth2/authorize",
            "token_endpoint": f"{issuer}/oauth2/token",
            "jwks_uri": f"{issuer}/oauth2/jwks.json",
            "userinfo_endpoint": f"{issuer}/oauth2/userinfo",
            "revocation_endpoint": f"{issuer}/oauth2/revoke",
            "introspection_endpoint": f"{issuer}/oauth2/introspect",
            "device_authorization_endpoint": f"{issuer}/oauth2/device_authorization",
            "end_session_endpoint": f"{issuer}/oauth2/logout",
            "scopes_supported": list(SCOPES),
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": [*PERSONS, "client_credentials", EXCHANGE],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": [
                "none",
                "private_key_jwt",
                "tls_client_auth",
                "client_secret_basic",
                "client_secret_post",
            ],
            "token_endpoint_auth_signing_alg_values_supported": list(ASSERTION_ALGORITHMS),
            "id_token_signing_alg_values_supported": [ALGORITHM],
            "subject_types_supported": ["public"],
            "acr_values_supported": ["1", "2"],
            "prompt_values_supported": ["none", "login", "consent"],
            "claims_supported": ["sub", "name", "preferred_username", "acr", "amr", "auth_time", "sid", "nonce"],
            "tls_client_certificate_bound_access_tokens": True,
            "authorization_response_iss_parameter_supported": True,
            "request_parameter_supported": False,
            "request_uri_parameter_supported": False,
        }
        return JSONResponse(document, headers={"cache-control": f"public, max-age={PUBLIC_S}"})
