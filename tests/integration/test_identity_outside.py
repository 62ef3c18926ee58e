"""Persons who log in at another provider: redirected there by the pages, mapped to grants here, for a while."""

from __future__ import annotations

import html
import re
import ssl
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from joserfc.jwk import ECKey

from crossrate.api.identity.v1 import session_service_pb2 as sessions
from services.identity.external import ExternalProvider
from services.identity.settings import External
from tests.integration.identity_stand import CALLBACK, CLI, ISSUER, PASSWORD, Browser, Stand, claims_of, pkce, stand
from tests.integration.oidc_provider import CLIENT, SECRET, Provider, Sitting, provider

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

BACK = f"{ISSUER}/login/outside/back"
DEVICE = "urn:ietf:params:oauth:grant-type:device_code"


@dataclass
class Company:
    """Our service, and the provider of the company that uses it."""

    identity: Stand
    provider: Provider
    root: Path

    def trust(self) -> ssl.SSLContext:
        """What a browser of the company trusts."""
        return ssl.create_default_context(cafile=self.root)

    def sits(self, name: str, /, *, age_s: float = 0, **claims: Any) -> None:
        """Who sits before the browser from now on."""
        told = {"groups": ["fx-traders"], "hd": "desk.example", **claims}
        self.provider.sitting = Sitting(name, told, int(self.identity.clock().timestamp() - age_s))
        self.provider.lies = {}

    async def walk(self, answer: httpx.Response, browser: Browser) -> httpx.Response:
        """Follows a page to the provider, and the browser's way back."""
        found = re.search(r'<a href="(https:[^"]+)"', answer.text)
        assert found, answer.text
        async with httpx.AsyncClient(verify=self.trust(), trust_env=False) as there:
            sent = await there.get(html.unescape(found[1]))
        assert sent.status_code == 302, sent.text
        place = urlsplit(sent.headers["location"])
        assert f"{place.scheme}://{place.netloc}{place.path}" == BACK
        return await browser.get(f"{place.path}?{place.query}")

    async def comes_in(self, browser: Browser, **more: str) -> dict[str, Any]:
        """The whole way of a program: to the provider, back, yes, tokens."""
        verifier, challenge = pkce()
        done = await self.walk(await browser.authorize(code_challenge=challenge, **more), browser)
        assert done.status_code == 303, done.text
        page = await browser.open(done.headers["location"])
        done = await browser.submit(page, "/oauth2/authorize", answer="yes")
        code = parse_qs(urlsplit(done.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "client_id": CLI}
        answer = await browser.token(code=code, code_verifier=verifier, **form)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def company() -> AsyncIterator[Company]:
    """Both, with passwords of ours refused."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        async with provider(Path(folder), BACK) as (made, root):
            settings = External(
                issuer=made.issuer,
                client_id=CLIENT,
                client_secret=SECRET,
                ca_file=str(root),
                roles={"fx-traders": ("trader", "viewer")},
                accounts=("desk-*",),
                step_up_acr="two",
                second_factor_acr=("two",),
                require={"hd": ("desk.example",)},
                session_life_s=900,
            )
            async with stand(Path(folder) / "x", ExternalProvider(settings)) as identity:
                made.clock = lambda: identity.clock().timestamp()
                yield Company(identity, made, root)


async def active(company: Company, token: str) -> bool:
    """Whether a token is good now."""
    return (await company.identity.sessions.Introspect(sessions.IntrospectRequest(token=token))).active


async def test_a_person_of_the_provider_gets_grants_of_ours(company: Company) -> None:
    """Code, PKCE and nonce to the provider, claims to roles and accounts, refreshes as long as the session lives."""
    company.sits("Ada.Lovelace@desk.example", name="Ada")
    browser = company.identity.browser()
    body = await company.comes_in(browser)
    said = claims_of(body["access_token"])
    assert (said["sub"], said["name"], said["roles"]) == ("x-ada-lovelace", "Ada", ["trader", "viewer"])
    assert (said["accounts"], said["acr"], said["desk"]) == (["desk-*"], "1", "main")
    asked = company.provider.asked[-1]
    assert (asked["code_challenge_method"], asked["client_id"], asked["tenant"]) == ("S256", CLIENT, "desk")
    again = (await browser.refresh(body["refresh_token"])).json()
    assert await active(company, again["access_token"])
    assert "Ada" in (await browser.open("/account/")).text
    company.identity.clock.move(901)
    assert (await browser.refresh(again["refresh_token"])).json()["error"] == "invalid_grant"


async def test_the_session_ends_as_any_other(company: Company) -> None:
    """The person ends it under /account/; a code that waits then is void too."""
    company.sits("bob")
    browser = company.identity.browser()
    body = await company.comes_in(browser)
    done = await browser.submit("/account/", "/account/sessions", session="all")
    assert done.status_code == 200
    assert not await active(company, body["access_token"])
    assert (await browser.refresh(body["refresh_token"])).json()["error"] == "invalid_grant"


async def test_no_password_of_ours_is_taken_beside_it(company: Company) -> None:
    """Neither for logging in, nor is one to be set by who logs in elsewhere; the first page leads to the provider."""
    company.sits("carl")
    browser = company.identity.browser()
    page = await browser.open("/login/?local=1")
    assert "Log in at localhost" in page.text
    token = re.search(r'name="csrf" value="([^"]+)"', (await browser.open("/oauth2/logout")).text)
    assert token
    form = {"csrf": token[1], "name": "admin", "password": PASSWORD}
    refused = await browser.post("/login/", data=form, headers={"origin": ISSUER})
    assert (refused.status_code, "not taken here" in refused.text) == (403, True)
    done = await company.walk(page, browser)
    assert done.headers["location"] == "/account/"
    for path in ("/account/password", "/account/totp", "/account/passkeys", "/login/factor"):
        assert (await browser.get(path)).status_code == 403


async def test_a_device_is_let_in_with_a_second_factor_of_the_provider(company: Company) -> None:
    """The way leads to the provider with what is wanted, and on with the code; a factor it does not tell is none."""
    company.sits("dora", age_s=400)
    browser, program = company.identity.browser(), company.identity.browser()
    await company.walk(await browser.open("/login/"), browser)
    form = {"client_id": CLI, "acr_values": "2"}
    asked = (await program.post("/oauth2/device_authorization", data=form)).json()
    sent = await browser.submit("/device", "/device", code=asked["user_code"])
    assert sent.headers["location"] == "/login/outside?second=1&max_age=300"
    company.sits("dora")
    done = await company.walk(await browser.open(sent.headers["location"]), browser)
    assert (done.status_code, "second factor" in done.text) == (403, True)
    assert company.provider.asked[-1]["acr_values"] == "two"
    assert company.provider.asked[-1]["max_age"] == "300"
    company.sits("dora", acr="two")
    done = await company.walk(await browser.open(sent.headers["location"]), browser)
    assert done.headers["location"] == "/device"
    page = await browser.open("/device")
    assert asked["user_code"] in page.text
    shown = await browser.submit(page, "/device", code=asked["user_code"])
    assert "logged in as you" in (await browser.submit(shown, "/device", code=asked["user_code"], answer="yes")).text
    wait = {"grant_type": DEVICE, "device_code": asked["device_code"], "client_id": CLI}
    said = claims_of((await program.token(**wait)).json()["access_token"])
    assert (said["sub"], said["acr"], said["amr"]) == ("x-dora", "2", ["pwd", "mca"])


async def test_a_proof_that_is_too_old_is_not_taken_for_a_fresh_one(company: Company) -> None:
    """A provider that leaves max_age out is not believed; one whose person logs in again is."""
    browser = company.identity.browser()
    company.sits("emil", age_s=400, acr="two")
    page = await browser.authorize(code_challenge=pkce()[1], acr_values="2")
    done = await company.walk(page, browser)
    page = await browser.open(done.headers["location"])
    assert "Log in at" in page.text, "the first login asked for nothing"
    stale = await company.walk(page, browser)
    assert (stale.status_code, "too old" in stale.text) == (403, True)
    company.sits("emil", acr="two")
    body = await company.comes_in(browser, acr_values="2")
    assert claims_of(body["access_token"])["acr"] == "2"


@pytest.mark.parametrize(
    "lies",
    [
        {"nonce": "another"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"hd": "elsewhere.example"},
        {"hd": None},
        {"preferred_username": ""},
    ],
)
async def test_what_the_provider_did_not_say_of_this_login_lets_nobody_in(
    company: Company, lies: dict[str, Any]
) -> None:
    """Tokens of another login, for another program, of another company or too old: no, and a fact of it."""
    company.sits("fred")
    company.provider.lies = lies
    browser = company.identity.browser()
    done = await company.walk(await browser.open("/login/"), browser)
    assert (done.status_code, "has not let you in" in done.text) == (403, True)
    assert (await browser.get("/account/")).headers["location"] == "/login/"
    assert (await company.identity.facts("login_failed"))[-1].fact.subject.endswith(".unknown")


async def test_an_answer_counts_once_and_in_the_browser_that_asked(company: Company) -> None:
    """Another browser, another state, another issuer, a second time, and a key that the provider does not publish."""
    company.sits("gina")
    browser, other = company.identity.browser(), company.identity.browser()

    async def answered() -> str:
        found = re.search(r'<a href="(https:[^"]+)"', (await browser.open("/login/outside")).text)
        assert found
        async with httpx.AsyncClient(verify=company.trust(), trust_env=False) as there:
            place = urlsplit((await there.get(html.unescape(found[1]))).headers["location"])
        return f"{place.path}?{place.query}"

    planted = await answered()
    await other.open("/oauth2/logout")
    assert (await other.get(planted)).status_code == 400, "it never asked"
    await other.open("/login/outside")
    assert (await other.get(planted)).status_code == 403, "it asked for another"
    for change in (("state=", "state=x"), ("iss=https", "iss=http")):
        assert (await browser.get((await answered()).replace(*change))).status_code == 403
    company.provider.key, kept = ECKey.generate_key("P-256"), company.provider.key
    assert (await browser.get(await answered())).status_code == 403
    company.provider.key = kept
    right = await answered()
    before = dict(browser.cookies)
    assert (await browser.get(right)).status_code == 303
    assert dict(browser.cookies) != before
    assert (await browser.get(right)).status_code == 400


async def test_our_own_persons_stay_out_of_the_provider_s_way(company: Company) -> None:
    """A subject of the provider never is one of ours, whatever it is called there."""
    company.sits("admin")
    browser = company.identity.browser()
    said = claims_of((await company.comes_in(browser))["access_token"])
    assert said["sub"] == "x-admin"
    assert "admin" not in said["roles"]
