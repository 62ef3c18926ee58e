"""The application: which page stands where. Everything below the paths that the topology gives identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from services.identity.oauth.tokens import Tokens
from services.identity.reading import Reading
from services.identity.web.account import Account
from services.identity.web.authorize import Authorize
from services.identity.web.device import DevicePages
from services.identity.web.endpoints import Endpoints
from services.identity.web.headers import SecurityHeaders
from services.identity.web.login import Login
from services.identity.web.logout import Logout
from services.identity.web.outside import BACK, OutsidePages
from services.identity.web.site import Site

STATIC = Path(__file__).parent / "static"
STATIC_S = 3600


def _static(name: str, kind: str) -> Any:
    async def answer(request: Request) -> Response:
        return FileResponse(STATIC / name, media_type=kind, headers={"cache-control": f"public, max-age={STATIC_S}"})

    return answer


async def _login_root(request: Request) -> Response:
    return RedirectResponse("/login/", 303)


async def _fault(request: Request, fault: Exception) -> Response:
    # The exception is logged by whoever serves; the client learns nothing of it.
    return PlainTextResponse("internal error", 500)


async def _no_page(request: Request, fault: Exception) -> Response:
    status = getattr(fault, "status_code", 404)
    return JSONResponse({"error": "not_found" if status == 404 else "invalid_request"}, status)


def application(site: Site, giving: Tokens, reading: Reading) -> SecurityHeaders:
    """The ASGI application."""
    ends, login, account = Endpoints(site, giving, reading), Login(site), Account(site)
    ask, device, logout = Authorize(site), DevicePages(site), Logout(site)
    outside = OutsidePages(site)
    end, page = ends.handler, site.handler
    routes = [
        Route("/.well-known/openid-configuration", end(ends.discovery), methods=["GET"]),
        Route("/.well-known/oauth-authorization-server", end(ends.discovery), methods=["GET"]),
        Route("/oauth2/jwks.json", end(ends.key_set), methods=["GET"]),
        Route("/oauth2/token", end(ends.token), methods=["POST"]),
        Route("/oauth2/revoke", end(ends.revoke), methods=["POST"]),
        Route("/oauth2/introspect", end(ends.introspect), methods=["POST"]),
        Route("/oauth2/userinfo", end(ends.userinfo), methods=["GET", "POST"]),
        Route("/oauth2/device_authorization", end(ends.device), methods=["POST"]),
        Route("/oauth2/authorize", page(ask.ask), methods=["GET"]),
        Route("/oauth2/authorize", page(ask.decide, needs="login"), methods=["POST"]),
        Route("/oauth2/logout", page(logout.ask), methods=["GET"]),
        Route("/oauth2/logout", page(logout.end), methods=["POST"]),
        Route("/login", _login_root, methods=["GET"]),
        Route("/login/", page(login.show), methods=["GET"]),
        Route("/login/", page(login.password), methods=["POST"]),
        Route("/login/factor", page(login.factor, needs="password"), methods=["GET"]),
        Route("/login/factor", page(login.prove, needs="password"), methods=["POST"]),
        Route("/login/out", page(login.out, needs="password"), methods=["POST"]),
        Route("/login/outside", page(outside.begin), methods=["GET"]),
        Route(BACK, page(outside.back), methods=["GET"]),
        Route("/login/ticket", page(account.ticket_form), methods=["GET"]),
        Route("/login/ticket", page(account.ticket), methods=["POST"]),
        Route("/login/style.css", _static("style.css", "text/css"), methods=["GET"]),
        Route("/login/passkey.js", _static("passkey.js", "text/javascript"), methods=["GET"]),
        Route("/device", page(device.show), methods=["GET"]),
        Route("/device", page(device.answer, needs="login"), methods=["POST"]),
        Route("/account/", page(account.show, needs="login"), methods=["GET"]),
        Route("/account/password", page(account.password_form, needs="login"), methods=["GET"]),
        Route("/account/password", page(account.password, needs="login"), methods=["POST"]),
        Route("/account/totp", page(account.totp_form, needs="login"), methods=["GET"]),
        Route("/account/totp", page(account.totp, needs="login"), methods=["POST"]),
        Route("/account/recovery", page(account.recovery, needs="login"), methods=["POST"]),
        Route("/account/passkeys", page(account.passkey_form, needs="login"), methods=["GET"]),
        Route("/account/passkeys", page(account.passkey, needs="login"), methods=["POST"]),
        Route("/account/sessions", page(account.end, needs="login"), methods=["POST"]),
    ]
    # Outermost, so that no answer goes without its headers.
    return SecurityHeaders(
        Starlette(routes=routes, exception_handlers={404: _no_page, 405: _no_page, 500: _fault}), site.issuer
    )
