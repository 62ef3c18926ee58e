"""Another OpenID Connect provider, as a company has one: Authlib's server behind TLS on loopback.

Who sits before the browser, and how that person proved it, is what a test says: its login page is not what is tested.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import uvicorn
from authlib.oauth2.rfc6749 import AuthorizationCodeMixin, AuthorizationServer, ClientMixin, grants
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import OpenIDCode
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from services.identity.oauth.deciding import Request
from tests.ports import free_port

CLIENT, SECRET = "crossrate-at-work", "a secret with : and % in it"


@dataclass
class Sitting:
    """Who sits before the browser, and what the provider says of that person."""

    name: str
    claims: dict[str, Any] = field(default_factory=dict)
    auth_time: int = 0


class _Client(ClientMixin):
    def __init__(self, redirect_uri: str) -> None:
        self._redirect_uri = redirect_uri

    def get_client_id(self) -> str:
        return CLIENT

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri == self._redirect_uri

    def check_client_secret(self, client_secret: str) -> bool:
        return client_secret == SECRET

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == "client_secret_basic"

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass
class _Code(AuthorizationCodeMixin):
    code: str
    redirect_uri: str
    scope: str
    nonce: str
    code_challenge: str
    code_challenge_method: str
    person: Sitting

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str:
        return self.nonce

    def get_auth_time(self) -> int:
        return self.person.auth_time

    def get_acr(self) -> str | None:
        return self.person.claims.get("acr")

    def get_amr(self) -> list[str] | None:
        return self.person.claims.get("amr")


class _CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic",)

    def save_authorization_code(self, code: str, request: Request) -> None:
        data = request.payload.data
        self.server.codes[code] = _Code(
            code,
            data["redirect_uri"],
            data["scope"],
            data.get("nonce", ""),
            data["code_challenge"],
            data["code_challenge_method"],
            request.user,
        )

    def query_authorization_code(self, code: str, client: _Client) -> _Code | None:
        return self.server.codes.get(code)

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        del self.server.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: _Code) -> Sitting:
        return authorization_code.person


class _IdToken(OpenIDCode):
    def __init__(self, provider: Provider) -> None:
        super().__init__(require_nonce=True)
        self._provider = provider

    def exists_nonce(self, nonce: str, request: Request) -> bool:
        return nonce in self._provider.nonces

    def get_client_algorithm(self, client: _Client) -> str:
        return "ES256"

    def get_encode_header(self, client: _Client) -> dict[str, str]:
        return {"alg": "ES256", "kid": "p-1"}

    def resolve_client_private_key(self, client: _Client) -> ECKey:
        return self._provider.key

    def get_client_claims(self, client: _Client) -> dict[str, Any]:
        now = int(self._provider.clock())
        return {"iss": self._provider.issuer, "aud": [CLIENT], "iat": now, "exp": now + 300}

    def generate_user_info(self, user: Sitting, scope: str) -> dict[str, Any]:
        return {"sub": f"id-of-{user.name}", "preferred_username": user.name, **user.claims, **self._provider.lies}


class _Server(AuthorizationServer):
    def __init__(self, client: _Client) -> None:
        super().__init__(scopes_supported=["openid", "profile", "email"])
        self._client = client
        self.codes: dict[str, _Code] = {}
        self.register_token_generator("default", BearerTokenGenerator(lambda **_: "an-access-token", None))

    def query_client(self, client_id: str) -> _Client | None:
        return self._client if client_id == CLIENT else None

    def save_token(self, token: dict[str, Any], request: Request) -> None:
        """Nobody uses its access tokens."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Request) -> Request:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Response:
        kept = {name: value for name, value in headers if name.lower() != "content-type"}
        return JSONResponse(body, status, headers=kept) if body else Response(status_code=status, headers=kept)


class Provider:
    """The provider. `sitting` is who logs in; `asked` are the requests for a login; `lies` change its ID tokens."""

    def __init__(self, port: int, redirect_uri: str) -> None:
        self.issuer = f"https://localhost:{port}"
        self.key = ECKey.generate_key("P-256")
        self.nonces: set[str] = set()
        self.sitting: Sitting | None = None
        self.asked: list[dict[str, str]] = []
        self.lies: dict[str, Any] = {}
        self.clock: Callable[[], float] = time.time
        self._server = _Server(_Client(redirect_uri))
        self._server.register_grant(_CodeGrant, [_IdToken(self), CodeChallenge(required=True)])
        routes = [
            Route("/.well-known/openid-configuration", self._discovery),
            Route("/keys", self._keys),
            Route("/authorize", self._authorize),
            Route("/token", self._token, methods=["POST"]),
        ]
        self.app = Starlette(routes=routes)

    async def _discovery(self, request: HttpRequest) -> Response:
        places = {
            "authorization_endpoint": f"{self.issuer}/authorize?tenant=desk",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
        }
        return JSONResponse({"issuer": self.issuer, "authorization_response_iss_parameter_supported": True, **places})

    async def _keys(self, request: HttpRequest) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False) | {"kid": "p-1", "use": "sig"}]})

    async def _authorize(self, request: HttpRequest) -> Response:
        query = dict(request.query_params)
        self.asked.append(query)
        asked = Request("GET", str(request.url), query, {})
        try:
            grant = self._server.get_consent_grant(asked, self.sitting)
        except OAuth2Error as error:
            return JSONResponse(dict(error.get_body()), 400)
        answer = self._server.create_authorization_response(asked, grant_user=self.sitting, grant=grant)
        self.nonces.add(query["nonce"])
        place = answer.headers["location"]
        return RedirectResponse(f"{place}&iss={self.issuer.replace(':', '%3A').replace('/', '%2F')}", 302)

    async def _token(self, request: HttpRequest) -> Response:
        form = dict(parse_qsl((await request.body()).decode()))
        headers = {"Authorization": request.headers.get("authorization", "")}
        return self._server.create_token_response(Request("POST", str(request.url), form, headers))


class _Quiet(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listens = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listens.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A key and a certificate for localhost by itself."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, private = folder / "provider.pem", folder / "provider.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()))
    return pem, private


@asynccontextmanager
async def provider(folder: Path, redirect_uri: str) -> AsyncIterator[tuple[Provider, Path]]:
    """The provider, serving, and the root that its certificate has."""
    pem, private = _certificate(folder)
    port = free_port()
    made = Provider(port, redirect_uri)
    config = uvicorn.Config(
        made.app,
        host="127.0.0.1",
        port=port,
        ssl_certfile=str(pem),
        ssl_keyfile=str(private),
        ssl_version=ssl.PROTOCOL_TLS_SERVER,
        log_level="error",
        lifespan="off",
    )
    server = _Quiet(config)
    serving = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(30):
            await server.listens.wait()
        yield made, pem
    finally:
        server.should_exit = True
        await serving
