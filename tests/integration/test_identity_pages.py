"""The pages of the login as a browser uses them, and as somebody does who means harm."""

from __future__ import annotations

import asyncio
import html
import json
import logging
import re
import tempfile
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio
from pyotp import TOTP

from crossrate.api.identity.v1 import identity_events_pb2
from crossrate.api.identity.v1 import user_service_pb2 as users
from services.identity.first import first_login_file
from services.identity.web.site import COOKIE
from tests.integration.authenticator import USER_PRESENT, Authenticator
from tests.integration.identity_stand import CALLBACK, CLI, ISSUER, PASSWORD, Browser, Stand, claims_of, pkce, stand

pytestmark = [pytest.mark.integration, pytest.mark.asyncio(loop_scope="module")]

DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
WRONG = "The name or the password is wrong"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def identity() -> AsyncIterator[Stand]:
    """One service for all of it."""
    with tempfile.TemporaryDirectory(prefix="xr-") as folder:
        async with stand(Path(folder)) as made:
            yield made


async def with_totp(identity: Stand, name: str) -> tuple[Browser, TOTP, list[str]]:
    """A person with one-time codes, logged in with both factors, and the recovery codes."""
    browser = await identity.person(name)
    page = await browser.open("/account/totp")
    found = re.search(r"<code>([A-Z2-7]+)</code>", page.text)
    assert found
    generator = TOTP(found[1])
    done = await browser.submit(page, "/account/totp", code=generator.at(identity.clock()))
    return browser, generator, re.findall(r"<code>([0-9a-f]{20})</code>", done.text)


def options_of(page: httpx.Response) -> dict:
    """What a page asks of an authenticator."""
    found = re.search(r'data-options="([^"]+)"', page.text)
    assert found, page.text
    return json.loads(html.unescape(found[1]))


async def test_the_first_admin_sets_an_own_password(identity: Stand) -> None:
    """The one-time password of the first start stands in a private file, opens nothing but its own change, and works
    for a person who then is an admin."""
    file = first_login_file(identity.folder)
    assert file.stat().st_mode & 0o777 == 0o600
    first = json.loads(file.read_text())
    browser = identity.browser()
    answer = await browser.login(first["name"], first["password"])
    assert answer.headers["location"] == "/account/password"
    for path in ("/account/", "/device", "/account/totp"):
        page = await browser.open(path)
        assert "Set your password" in page.text
    refused = await browser.authorize(code_challenge=pkce()[1])
    assert "Let" not in refused.text
    weak = await browser.submit(
        "/account/password", "/account/password", old=first["password"], new="x" * 12, again="x" * 12
    )
    assert weak.status_code == 400
    done = await browser.submit(
        "/account/password", "/account/password", old=first["password"], new=PASSWORD, again=PASSWORD
    )
    assert done.status_code == 303
    assert not file.exists()
    body = await browser.tokens()
    assert claims_of(body["access_token"])["roles"] == ["admin"]
    assert WRONG in (await identity.browser().login(first["name"], first["password"])).text


async def test_no_answer_tells_who_exists(identity: Stand) -> None:
    """A wrong password, a name that nobody has, and a person without a password get the same page."""
    await identity.person("anna")
    await identity.users.CreateUser(
        users.CreateUserRequest(request_id=str(uuid.uuid4()), user={"name": "invited", "desk": "main"})
    )
    answers = []
    for name in ("anna", "nobody-at-all", "invited"):
        answer = await identity.browser().login(name, "wrong password 123")
        assert answer.status_code == 401
        answers.append(re.sub(r'value="[^"]*"', "", answer.text))
    assert len(set(answers)) == 1


async def test_wrong_passwords_lock_and_time_unlocks(identity: Stand) -> None:
    """After five the right one is refused for a while, and longer with every further one; others are not disturbed."""
    await identity.person("boris")
    for _ in range(5):
        assert (await identity.browser().login("boris", "wrong password 123")).status_code == 401
    assert WRONG in (await identity.browser().login("boris", PASSWORD)).text
    (fact,) = [f for f in await identity.facts("locked_out") if f.fact.subject.endswith(".boris")][:1]
    assert identity_events_pb2.LockedOut.FromString(fact.fact.payload).lock_s == 30
    identity.clock.move(31)
    assert (await identity.browser().login("boris", "wrong again 1234")).status_code == 401
    identity.clock.move(31)
    assert WRONG in (await identity.browser().login("boris", PASSWORD)).text
    identity.clock.move(60)
    assert (await identity.browser().login("boris", PASSWORD)).status_code == 303


async def test_guessing_in_parallel_is_locked_too(identity: Stand) -> None:
    """Forty wrong passwords at once: the lock holds afterwards, and the count has every one that was compared."""
    await identity.person("clara")
    pages = [identity.browser() for _ in range(40)]
    answers = await asyncio.gather(*(p.login("clara", f"wrong password {i}") for i, p in enumerate(pages)))
    assert {a.status_code for a in answers} == {401}
    assert WRONG in (await identity.browser().login("clara", PASSWORD)).text
    user = (await identity.users.GetUser(users.GetUserRequest(name="clara"))).user
    assert user.HasField("locked_until_time")
    reset = users.ResetUserRequest(request_id=str(uuid.uuid4()), name="clara")
    await identity.users.ResetUser(reset)
    assert (await identity.browser().login("clara", PASSWORD)).status_code == 303


async def test_a_planted_cookie_is_worth_nothing(identity: Stand) -> None:
    """Who knows the cookie from before the login is not logged in by it: every proof changes it."""
    victim = identity.browser()
    await victim.open("/login/")
    planted = victim.cookies[COOKIE]
    await identity.person("dirk")
    await victim.login("dirk", PASSWORD)
    assert victim.cookies[COOKIE] != planted
    thief = identity.browser()
    thief.cookies.set(COOKIE, planted, domain="localhost")
    assert (await thief.get("/account/")).headers["location"] == "/login/"


async def test_a_second_factor_changes_the_cookie_too(identity: Stand) -> None:
    """The cookie of a half login does not become that of a whole one."""
    _, generator, _ = await with_totp(identity, "edith")
    identity.clock.move(30)
    browser = identity.browser()
    await browser.login("edith", PASSWORD)
    half = browser.cookies[COOKIE]
    await browser.submit("/login/factor", "/login/factor", code=generator.at(identity.clock()))
    assert browser.cookies[COOKIE] != half
    thief = identity.browser()
    thief.cookies.set(COOKIE, half, domain="localhost")
    assert (await thief.get("/account/")).headers["location"] == "/login/"


async def test_cookies_are_for_this_site_over_tls_alone(identity: Stand) -> None:
    """__Host-, Secure, HttpOnly, SameSite."""
    answer = await identity.browser().get("/login/")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith(f"{COOKIE}=")
    assert {"HttpOnly", "Secure", "Path=/", "SameSite=lax"} <= set(cookie.split("; "))
    assert "Domain" not in cookie


FORMS = [
    ("/login/", {"name": "x", "password": "y"}),
    ("/account/password", {"old": PASSWORD, "new": PASSWORD + "2", "again": PASSWORD + "2"}),
    ("/account/totp", {"remove": "1"}),
    ("/account/sessions", {"session": "all"}),
    ("/account/recovery", {}),
    ("/account/passkeys", {"remove": "00"}),
    ("/device", {"code": "BBBB-BBBB", "answer": "yes"}),
    ("/oauth2/authorize", {"answer": "yes"}),
    ("/oauth2/logout", {}),
    ("/login/out", {}),
    ("/login/factor", {"code": "123456"}),
    ("/login/ticket", {"ticket": "x", "new": "y", "again": "y"}),
]


@pytest.mark.parametrize(("path", "form"), FORMS)
async def test_no_form_counts_from_elsewhere(identity: Stand, path: str, form: dict[str, str]) -> None:
    """Without the page's word, with another browser's word, or from another origin, every form is refused."""
    name = "csrf" + re.sub(r"[^a-z]", "", path)[:20]
    browser = await identity.person(name) if path != "/login/" else identity.browser()
    other = identity.browser()
    foreign = re.search(r'name="csrf" value="([^"]+)"', (await other.open("/login/")).text)
    own = re.search(r'name="csrf" value="([^"]+)"', (await browser.open("/account/")).text)
    assert foreign
    assert own
    for sent, headers in (
        ({}, {}),
        ({"csrf": ""}, {}),
        ({"csrf": foreign[1]}, {}),
        ({"csrf": own[1]}, {"origin": "https://evil.example"}),
        ({"csrf": own[1]}, {"origin": "null"}),
        ({"csrf": own[1]}, {"sec-fetch-site": "cross-site"}),
        ({"csrf": own[1]}, {"sec-fetch-site": "same-site"}),
    ):
        answer = await browser.post(path, data={"x": "1"} | form | sent, headers=headers)
        assert answer.status_code == 403, (sent, headers)


async def test_pages_may_do_little(identity: Stand) -> None:
    """Every answer: no frames, no inline script, no base, no sniffing, no referrer, no cache; also errors and files."""
    browser = await identity.person("frida")
    for path in (
        "/login/",
        "/account/",
        "/device",
        "/oauth2/token",
        "/nothing",
        "/login/style.css",
        "/oauth2/jwks.json",
    ):
        answer = await browser.get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert "cache-control" in answer.headers
        if "text/html" in answer.headers.get("content-type", ""):
            assert answer.headers["cache-control"] == "no-store"
            assert not re.search(r"<script(?![^>]*src=)|\son\w+=|style=|javascript:", answer.text)


async def test_a_host_that_is_reached_from_elsewhere_asks_for_tls_for_ever() -> None:
    """Strict transport is asked for by a name, not by a browser's own machine."""
    from services.identity.web.headers import SecurityHeaders

    async def app(scope, receive, send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    for issuer, wanted in (("https://fx.example", True), ("https://localhost:8443", False)):
        transport = httpx.ASGITransport(app=SecurityHeaders(app, issuer))
        async with httpx.AsyncClient(transport=transport, base_url=issuer) as client:
            assert ("strict-transport-security" in (await client.get("/")).headers) is wanted


@pytest.mark.parametrize(
    "query",
    [
        "next=https://evil.example",
        "next=//evil.example",
        "url=https://evil.example",
        "redirect_uri=https://evil.example",
    ],
)
async def test_a_login_leads_to_no_other_site(identity: Stand, query: str) -> None:
    """Where a login leads stands with us, not in an address."""
    await identity.person(f"gil-{abs(hash(query)) % 10000}")
    browser = identity.browser()
    page = await browser.get(f"/login/?{query}")
    done = await browser.submit(page, f"/login/?{query}", name=f"gil-{abs(hash(query)) % 10000}", password=PASSWORD)
    assert done.headers["location"].startswith("/")
    assert "evil" not in done.headers["location"]


# Second factors


async def test_a_one_time_code_works_once(identity: Stand) -> None:
    """The same code is refused again, in the same and in another browser; the next one works; of many at once, one."""
    _, generator, _ = await with_totp(identity, "hedwig")
    identity.clock.move(30)
    code, browser = generator.at(identity.clock()), identity.browser()
    await browser.login("hedwig", PASSWORD)
    done = await browser.submit("/login/factor", "/login/factor", code=code)
    assert (done.status_code, done.headers["location"]) == (303, "/account/")
    replay = identity.browser()
    await replay.login("hedwig", PASSWORD)
    assert (await replay.submit("/login/factor", "/login/factor", code=code)).status_code == 401
    assert (await replay.get("/account/")).headers["location"] == "/login/factor"
    identity.clock.move(30)
    code = generator.at(identity.clock())
    browsers = [identity.browser() for _ in range(4)]
    for each in browsers:
        await each.login("hedwig", PASSWORD)
    answers = await asyncio.gather(*(b.submit("/login/factor", "/login/factor", code=code) for b in browsers))
    assert sorted(a.status_code for a in answers) == [303, 401, 401, 401]


async def test_codes_of_other_times_are_refused(identity: Stand) -> None:
    """One step early or late is taken, two are not."""
    _, generator, _ = await with_totp(identity, "ilse")
    identity.clock.move(300)
    for steps, right in ((-2, False), (2, False), (-1, True), (1, True)):
        browser = identity.browser()
        await browser.login("ilse", PASSWORD)
        moment = identity.clock().timestamp() + 30 * steps
        answer = await browser.submit("/login/factor", "/login/factor", code=generator.at(int(moment)))
        assert (answer.status_code == 303) is right, steps


async def test_guessing_codes_locks(identity: Stand) -> None:
    """Wrong codes count with wrong passwords; locked, the right code is refused as well."""
    _, generator, _ = await with_totp(identity, "jens")
    identity.clock.move(30)
    browser = identity.browser()
    await browser.login("jens", PASSWORD)
    for number in range(5):
        answer = await browser.submit("/login/factor", "/login/factor", code=f"{number:06}")
        assert answer.status_code == 401
    right = await browser.submit("/login/factor", "/login/factor", code=generator.at(identity.clock()))
    assert right.status_code == 401


async def test_a_password_alone_is_half_a_login(identity: Stand) -> None:
    """With a second factor set up, the password opens neither the account, nor its change, nor a program's way in."""
    await with_totp(identity, "kurt")
    browser = identity.browser()
    await browser.login("kurt", PASSWORD)
    for path in ("/account/", "/account/password", "/account/totp", "/account/passkeys"):
        assert (await browser.get(path)).headers["location"] == "/login/factor"
    page = await browser.authorize(code_challenge=pkce()[1])
    assert "Second factor" in page.text
    forced = await browser.submit(page, "/oauth2/authorize", answer="yes")
    assert forced.headers["location"] == "/login/factor"


async def test_recovery_codes_work_once_each(identity: Stand) -> None:
    """Ten codes; each lets in once."""
    _, _, codes = await with_totp(identity, "laura")
    assert len(codes) == 10
    for code, status in ((codes[0], 303), (codes[0], 401), (codes[1].upper(), 303)):
        browser = identity.browser()
        await browser.login("laura", PASSWORD)
        assert (await browser.submit("/login/factor", "/login/factor", recovery=code)).status_code == status


async def test_tokens_say_that_two_factors_were_proved_and_when(identity: Stand) -> None:
    """acr 2 and the time of the proof; a program that asks for a fresh one has the person prove it again."""
    browser, generator, _ = await with_totp(identity, "marta")
    body = await browser.tokens(acr_values="2")
    said = claims_of(body["access_token"])
    assert (said["acr"], said["amr"]) == ("2", ["pwd", "otp"])
    identity.clock.move(301)
    page = await browser.authorize(code_challenge=pkce()[1], acr_values="2")
    assert "Second factor" in page.text
    verifier, challenge = pkce()
    page = await browser.authorize(code_challenge=challenge, acr_values="2", max_age="120")
    done = await browser.submit(page, "/login/factor", code=generator.at(identity.clock()), again="1")
    page = await browser.open(done.headers["location"])
    done = await browser.submit(page, "/oauth2/authorize", answer="yes")
    code = parse_qs(urlsplit(done.headers["location"]).query)["code"][0]
    form = {"grant_type": "authorization_code", "redirect_uri": CALLBACK, "client_id": CLI, "code_verifier": verifier}
    fresh = claims_of((await browser.token(code=code, **form)).json()["access_token"])
    assert fresh["auth_time"] >= said["auth_time"] + 300
    assert any(f.fact.subject.endswith(".marta") for f in await identity.facts("stepped_up"))


async def test_a_device_that_asks_for_a_second_factor_waits_for_a_fresh_one(identity: Stand) -> None:
    """acr_values on a device code: the person proves the factor again before the question is put, the code is kept on
    the way, and the tokens say when it was."""
    browser, generator, _ = await with_totp(identity, "stepper")
    identity.clock.move(301)
    program = identity.browser()
    asked = (await program.post("/oauth2/device_authorization", data={"client_id": CLI, "acr_values": "2"})).json()
    form = {"code": asked["user_code"], "answer": "yes"}
    answer = await browser.submit("/device", "/device", **form)
    assert answer.headers["location"] == "/login/factor?again=1", "a yes is not taken for the proof"
    wait = {"grant_type": DEVICE, "device_code": asked["device_code"], "client_id": CLI}
    assert (await program.token(**wait)).json()["error"] == "authorization_pending"
    page = await browser.open("/login/factor?again=1")
    done = await browser.submit(page, "/login/factor", code=generator.at(identity.clock()), again="1")
    page = await browser.open(done.headers["location"])
    assert asked["user_code"] in page.text
    shown = await browser.submit(page, "/device", code=asked["user_code"])
    assert "Let crossrate on the command line in?" in shown.text
    assert "is logged in as you" in (await browser.submit(shown, "/device", **form)).text
    identity.clock.move(20)
    said = claims_of((await program.token(**wait)).json()["access_token"])
    assert (said["sub"], said["acr"]) == ("stepper", "2")
    assert identity.clock().timestamp() - said["auth_time"] < 60


async def test_a_device_s_second_factor_cannot_be_left_out(identity: Stand) -> None:
    """Who has none lets no program in that asks for one, and a proof that is too old while the question stands open
    is asked for again."""
    plain, program = await identity.person("factorless"), identity.browser()
    ask = {"client_id": CLI, "acr_values": "2", "max_age": "60"}
    asked = (await program.post("/oauth2/device_authorization", data=ask)).json()
    refused = await plain.submit("/device", "/device", code=asked["user_code"], answer="yes")
    assert refused.status_code == 403
    assert "/account/" in refused.text
    browser, _, _ = await with_totp(identity, "stepper-2")
    shown = await browser.submit("/device", "/device", code=asked["user_code"])
    assert "in?" in shown.text
    identity.clock.move(61)
    answer = await browser.submit(shown, "/device", code=asked["user_code"], answer="yes")
    assert answer.headers["location"] == "/login/factor?again=1"
    wait = {"grant_type": DEVICE, "device_code": asked["device_code"], "client_id": CLI}
    assert (await program.token(**wait)).json()["error"] == "authorization_pending"


async def test_who_has_no_second_factor_is_told_where_to_get_one(identity: Stand) -> None:
    """A program that needs two factors gets no code for one."""
    browser = await identity.person("nora")
    page = await browser.authorize(code_challenge=pkce()[1], acr_values="2")
    assert page.status_code == 403
    assert "/account/" in page.text


async def test_a_passkey_is_a_second_factor(identity: Stand) -> None:
    """Made by an authenticator, asked for at the next login; its signature works once and for this site alone."""
    browser, device = await identity.person("oskar"), Authenticator(ISSUER)
    page = await browser.open("/account/passkeys")
    done = await browser.submit(page, "/account/passkeys", credential=device.create(options_of(page)), name="key")
    assert done.headers["location"] == "/account/"
    again = identity.browser()
    answer = await again.login("oskar", PASSWORD)
    assert answer.headers["location"] == "/login/factor"
    page = await again.open("/login/factor")
    signed = device.get(options_of(page))
    assert (await again.submit(page, "/login/factor", credential=signed)).status_code == 303
    said = claims_of((await again.tokens())["access_token"])
    assert (said["acr"], said["amr"]) == ("2", ["pwd", "hwk"])
    replay = identity.browser()
    await replay.login("oskar", PASSWORD)
    assert (await replay.submit("/login/factor", "/login/factor", credential=signed)).status_code == 401


@pytest.mark.parametrize("flaw", ["origin", "challenge", "key", "rp", "absent", "count", "unknown", "json"])
async def test_a_passkey_that_is_not_right_is_refused(identity: Stand, flaw: str) -> None:
    """Another site, an old challenge, another key, another relying party, nobody there, a counter that goes back."""
    name, device = f"pk-{flaw}", Authenticator(ISSUER)
    browser = await identity.person(name)
    page = await browser.open("/account/passkeys")
    await browser.submit(page, "/account/passkeys", credential=device.create(options_of(page)), name="key")
    again = identity.browser()
    await again.login(name, PASSWORD)
    page = await again.open("/login/factor")
    options, bad = options_of(page), Authenticator(ISSUER)
    bad.key, bad.credential_id, bad.count = device.key, device.credential_id, device.count
    flags = USER_PRESENT
    if flaw == "origin":
        bad.origin = "https://evil.example"
    elif flaw == "challenge":
        options["challenge"] = "AAAA"
    elif flaw == "key":
        bad.key = Authenticator(ISSUER).key
    elif flaw == "rp":
        options["rpId"] = "evil.example"
    elif flaw == "absent":
        flags = 0
    elif flaw == "count":
        first = device.get(options)
        assert (await again.submit(page, "/login/factor", credential=first)).status_code == 303
        again = identity.browser()
        await again.login(name, PASSWORD)
        page = await again.open("/login/factor")
        options = options_of(page)
        bad.count = 0
    elif flaw == "unknown":
        bad.credential_id = b"x" * 32
    credential = "{" if flaw == "json" else bad.get(options, flags)
    answer = await again.submit(page, "/login/factor", credential=credential)
    assert answer.status_code == 401
    assert (await again.get("/account/")).headers["location"] == "/login/factor"


async def test_a_ticket_works_once_and_not_for_long(identity: Stand) -> None:
    """A recovery link ends sessions, sets a password once, and a newer one replaces it."""
    browser = await identity.person("petra")
    body = await browser.tokens()
    request = users.ResetUserRequest(request_id=str(uuid.uuid4()), name="petra", password=True)
    first = (await identity.users.ResetUser(request)).ticket.url
    assert (await browser.refresh(body["refresh_token"])).status_code == 400
    assert WRONG in (await identity.browser().login("petra", PASSWORD)).text
    request = users.ResetUserRequest(request_id=str(uuid.uuid4()), name="petra", password=True)
    second = (await identity.users.ResetUser(request)).ticket.url
    old = urlsplit(first)
    assert (await identity.browser().get(f"{old.path}?{old.query}")).status_code == 404
    await identity.browser().accept(second, PASSWORD + "!")
    new = urlsplit(second)
    assert (await identity.browser().get(f"{new.path}?{new.query}")).status_code == 404
    request = users.ResetUserRequest(request_id=str(uuid.uuid4()), name="petra", password=True)
    third = urlsplit((await identity.users.ResetUser(request)).ticket.url)
    identity.clock.move(3601)
    assert (await identity.browser().get(f"{third.path}?{third.query}")).status_code == 404


async def test_nothing_secret_is_logged_or_told(identity: Stand, caplog, capfd) -> None:
    """Passwords, codes, tokens, cookies and keys of a whole login stand in no log line and no fact."""
    caplog.set_level(logging.DEBUG)
    browser, generator, recovery = await with_totp(identity, "quentin")
    body = await browser.tokens()
    second = (await browser.refresh(body["refresh_token"])).json()
    await browser.refresh(body["refresh_token"])
    await identity.browser().login("quentin", "my secret guess 99")
    secrets = [
        PASSWORD,
        "my secret guess 99",
        generator.secret,
        recovery[0],
        body["access_token"].split(".")[2],
        body["refresh_token"],
        second["refresh_token"],
        browser.cookies[COOKIE],
    ]
    told = caplog.text + "".join(capfd.readouterr())
    facts = b"".join(f.fact.payload for f in await identity.facts()).decode("latin-1")
    stored = str(await identity.database_dump())
    for secret in secrets:
        assert secret not in told, secret[:6]
        assert secret not in facts, secret[:6]
        assert secret not in stored, secret[:6]


async def test_log_out_is_everywhere(identity: Stand) -> None:
    """By a program's wish with its ID token, and by the person from all programs and browsers."""
    browser = await identity.person("rosa")
    body, other = await browser.tokens(), await browser.tokens()
    page = await browser.open(f"/oauth2/logout?id_token_hint={body['id_token']}&post_logout_redirect_uri={CALLBACK}")
    hint = {"hint": body["id_token"], "back": CALLBACK, "state": "s 1"}
    done = await browser.submit(page, "/oauth2/logout", **hint)
    assert done.headers["location"] == f"{CALLBACK}?state=s+1"
    assert (await browser.refresh(body["refresh_token"])).status_code == 400
    other = (await browser.refresh(other["refresh_token"])).json()
    await browser.login("rosa", PASSWORD)
    await browser.submit("/account/", "/account/sessions", session="all")
    assert (await browser.refresh(other["refresh_token"])).status_code == 400
    assert (await browser.get("/account/")).headers["location"] == "/login/"
    page = await browser.open("/login/")
    evil = await browser.submit(page, "/oauth2/logout", hint=body["id_token"], back="https://evil.example")
    assert "location" not in evil.headers
