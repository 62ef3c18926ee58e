"""The authorization endpoint: a program asks, the person says yes (RFC 6749, section 4.1; PKCE; RFC 9207)."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749.errors import OAuth2Error
from starlette.responses import RedirectResponse, Response

from services.identity.domain.session import Wanted, acr_of
from services.identity.oauth.deciding import Deciding, Known, Request, new_code
from services.identity.oauth.models import ProgramModel, allowed_scope
from services.identity.store import logins, programs, tokens
from services.identity.store.tokens import Code
from services.identity.web.forms import BadForm, parsed
from services.identity.web.proving import missing
from services.identity.web.site import Site, Stop, Visit

CODE_LIFE_S = 60
QUERY_CHARS_MAX = 4096
KEPT = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "nonce",
    "acr_values",
    "max_age",
    "prompt",
)
"""The parameters that matter; others are left out (RFC 6749, 3.1)."""


class Authorize:
    """/oauth2/authorize."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def ask(self, visit: Visit) -> Response:
        """A program has sent the browser here."""
        site = self._site
        query = visit.request.url.query
        if len(query) > QUERY_CHARS_MAX:
            raise site.refusal(visit, "The request is too long.")
        try:
            asked = parsed(query)
        except BadForm as bad:
            raise site.refusal(visit, str(bad)) from None
        asked = {name: asked[name] for name in KEPT if name in asked}
        client, redirect_uri = await self._valid(visit, asked)
        browser, person = visit.known, visit.person
        ready = person is not None and not person.one_time and site.logged_in(browser, person)
        prompt = asked.get("prompt", "").split()
        if "none" in prompt:
            # Every program is a person's own machine's: somebody has to say yes.
            error = "consent_required" if ready else "login_required"
            return self._back(redirect_uri, {"error": error}, asked)
        again = missing(site, visit, self._wanted(asked), anew="login" in prompt) if ready else ""
        # What the person proves from now on answers the prompt; it is not asked for again after the login.
        async with site.database.connection() as connection:
            await logins.keep(connection, browser, pending=self._pending(asked), device_code="")
        if not ready:
            return site.go("/login/")
        if again:
            return site.go(again)
        assert person is not None, "somebody is logged in"
        return site.page(
            visit,
            "consent",
            form_action=self._origin(redirect_uri),
            client=client.shown,
            host=urlsplit(redirect_uri).hostname or "",
            roles=", ".join(sorted(person.access.roles)) or "nothing yet",
        )

    @staticmethod
    def _pending(asked: dict[str, str]) -> str:
        return urlencode({name: value for name, value in asked.items() if name != "prompt"})

    @staticmethod
    def _origin(uri: str) -> str:
        parts = urlsplit(uri)
        return f"{parts.scheme}://{parts.netloc}"

    @staticmethod
    def _wanted(asked: dict[str, str]) -> Wanted:
        return Wanted.of(asked.get("acr_values", ""), asked.get("max_age", ""))

    async def _valid(self, visit: Visit, asked: dict[str, str]) -> tuple[Any, str]:
        """The client and where it returns to; Authlib's word on everything else.

        Raises:
            Stop: it is wrong; the browser goes back with the error if the redirect URI is the client's.
        """
        site = self._site
        async with site.database.connection() as connection:
            client = await programs.find_client(connection, asked.get("client_id", ""))
        known = Known(site.clock(), site.issuer, visit.seen, client=ProgramModel(client) if client else None)
        request = Request("GET", f"{site.issuer}/oauth2/authorize", asked, {})
        if client is None or client.disabled or not client.may_return_to(asked.get("redirect_uri", "")):
            raise site.refusal(visit, "The program is not known, or not with this redirect URI.")
        redirect_uri = asked["redirect_uri"]
        try:
            Deciding(known).get_consent_grant(request, None)
        except OAuth2Error as error:
            words = {"error": error.error or "invalid_request", "error_description": error.get_error_description()}
            raise Stop(self._back(redirect_uri, words, asked)) from None
        except (ValueError, TypeError, KeyError):
            raise Stop(self._back(redirect_uri, {"error": "invalid_request"}, asked)) from None
        return client, redirect_uri

    def _back(self, redirect_uri: str, words: dict[str, str], asked: dict[str, str]) -> Response:
        """Back to the program, with the issuer's name, so that no other server's answer is taken for ours."""
        state = {"state": asked["state"]} if "state" in asked else {}
        place = add_params_to_uri(redirect_uri, list({**words, **state, "iss": self._site.issuer}.items()))
        return RedirectResponse(place, 303)

    async def decide(self, visit: Visit) -> Response:
        """The person said yes or no, to the request that waits and to no other."""
        site, browser, person = self._site, visit.known, visit.person
        if not browser.pending or person is None:
            raise site.refusal(visit, "No program waits for your answer. Begin again from the program.")
        asked = parsed(browser.pending)
        client, redirect_uri = await self._valid(visit, asked)
        if visit.form.get("answer") != "yes":
            async with site.database.connection() as connection:
                await logins.keep(connection, browser, pending="")
            return self._back(redirect_uri, {"error": "access_denied"}, asked)
        if place := missing(site, visit, self._wanted(asked)):
            return site.go(place)
        secret, now = new_code(), site.clock()
        assert browser.auth_time is not None, "somebody is logged in"
        code = Code(
            sha256=b"",
            client_id=client.name,
            redirect_uri=redirect_uri,
            code_challenge=asked["code_challenge"],
            nonce=asked.get("nonce", "")[:256],
            scope=allowed_scope(asked.get("scope")),
            subject=person.name,
            methods=browser.methods,
            auth_time=browser.auth_time,
            external=browser.external,
            address=visit.seen.address,
            expire_time=now + timedelta(seconds=CODE_LIFE_S),
            used=False,
            session_id="",
        )
        async with site.database.transaction() as connection:
            await tokens.add_code(connection, secret, code)
            await logins.keep(connection, browser, pending="")
        site.log.info("a code was given", client=client.name, subject=person.name, acr=acr_of(browser.methods))
        return self._back(redirect_uri, {"code": secret}, asked)
