"""What all pages share: the browser behind a cookie, the form that it sent, the page that it gets.

A cookie is 256 random bits, known by its hash, only over TLS, not for scripts, and new after every step that proves
something: who planted one gains nothing. A form counts if it carries the browser's own word and comes from our pages.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from crossrate.rpc.http_listener import EdgeWords, Seen
from crossrate.store.database import Database
from services.identity.domain.person import Person, State
from services.identity.domain.session import SECOND_FACTORS, acr_of
from services.identity.external import ExternalProvider
from services.identity.oauth.loading import external_bearer
from services.identity.passwords import Passwords
from services.identity.settings import Settings
from services.identity.signing import Signer
from services.identity.store import logins, people
from services.identity.store.logins import Browser
from services.identity.store.writing import Change, Origin, Writer
from services.identity.vault import Vault, new_secret
from services.identity.web.forms import BadForm, form_of
from services.identity.web.headers import policy
from services.identity.web.limits import Buckets

COOKIE = "__Host-crossrate"
STRANGER_LIFE_S = 900
"""How long a browser is known that has not logged in."""
TEMPLATES = Path(__file__).parent / "templates"
PRIVILEGED_S = 600
"""How old a login may be that changes a password or a factor."""


WHILE_ONE_TIME = ("/account/password", "/login/factor", "/login/out")
"""All that a one-time password opens."""

OURS = ("/login/factor", "/account/password", "/account/totp", "/account/recovery", "/account/passkeys")
"""Pages for who has a password here."""


class Stop(Exception):
    """The request ends here with an answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


@dataclass
class Visit:
    """One request of a browser. `fresh` is the secret of a cookie that is to be set; "-" to remove it."""

    request: Request
    seen: Seen
    browser: Browser | None = None
    person: Person | None = None
    form: dict[str, str] = field(default_factory=dict)
    fresh: str = ""

    @property
    def known(self) -> Browser:
        """The browser; it has been opened."""
        assert self.browser is not None, "pages open one"
        return self.browser

    @property
    def origin(self) -> Origin:
        """For facts."""
        who = self.browser.subject if self.browser is not None else ""
        return Origin(
            principal=f"user:{who}" if who else "", address=self.seen.address, request_id=self.seen.request_id
        )


Page = Callable[[Visit], Awaitable[Response]]


class Site:
    """The pages' surroundings."""

    def __init__(
        self,
        writer: Writer,
        vault: Vault,
        passwords: Passwords,
        signer: Signer,
        settings: Settings,
        clock: Callable[[], datetime],
        trust_domain: str,
        first_login: Path,
        outside: ExternalProvider | None,
        log: Any,
    ) -> None:
        self.outside = outside
        self.first_login = first_login
        self.writer = writer
        self.vault = vault
        self.passwords = passwords
        self.signer = signer
        self.settings = settings
        self.clock = clock
        self.log = log
        self.words = EdgeWords(trust_domain)
        self.tries = Buckets(settings.logins_per_minute)
        loader = jinja2.FileSystemLoader(TEMPLATES)
        self._templates = jinja2.Environment(loader=loader, autoescape=True, undefined=jinja2.StrictUndefined)

    @property
    def database(self) -> Database:
        """The schema."""
        return self.writer.database

    @property
    def issuer(self) -> str:
        """Where the pages are."""
        return self.signer.issuer

    @property
    def host(self) -> str:
        """The issuer's name without its port: what passkeys belong to."""
        return urlsplit(self.issuer).hostname or "localhost"

    # Answers

    def page(
        self, visit: Visit, template: str, /, *, status: int = 200, form_action: str = "", **values: Any
    ) -> Response:
        """A page."""
        csrf = visit.browser.csrf if visit.browser is not None else ""
        outside = self.outside.host if self.outside and visit.browser and visit.browser.external is not None else ""
        shown = self._templates.get_template(f"{template}.html").render(
            csrf=csrf, person=visit.person, outside=outside, **values
        )
        answer = HTMLResponse(shown, status)
        answer.headers["content-security-policy"] = policy(form_action)
        return answer

    def refusal(self, visit: Visit, words: str, *, status: int = 400, title: str = "That did not work") -> Stop:
        """A page that says what is wrong."""
        return Stop(self.page(visit, "message", status=status, title=title, words=words))

    def go(self, place: str) -> Response:
        """Sends the browser to a page of ours; never to a place that came with the request."""
        assert place.startswith("/"), place
        assert not place.startswith("//"), place
        return RedirectResponse(place, 303)

    def onward(self, visit: Visit) -> Response:
        """Where a browser goes that is logged in: on with what it came for."""
        if visit.person is not None and visit.person.one_time:
            return self.go("/account/password")
        if visit.known.pending:
            return self.go(f"/oauth2/authorize?{visit.known.pending}")
        return self.go("/device" if visit.known.device_code else "/account/")

    # Requests

    def seen(self, request: Request) -> Seen:
        """What the edge says of a request."""
        return self.words.of(request.headers)

    def handler(self, page: Page, *, needs: str = "") -> Callable[[Request], Awaitable[Response]]:
        """A page as Starlette calls it.

        Args:
            needs: "password" if only who has proved one gets it, "login" if with every factor that is set up.
        """

        async def handle(request: Request) -> Response:
            visit = Visit(request, self.seen(request))
            try:
                await self._meet(visit)
                if request.method == "POST":
                    visit.form = await self._form(visit)
                self._let_in(visit, needs)
                answer = await page(visit)
            except Stop as stop:
                answer = stop.answer
            except BadForm as bad:
                answer = self.page(visit, "message", status=400, title="That did not work", words=str(bad))
            self._set_cookie(visit, answer)
            return answer

        return handle

    async def _meet(self, visit: Visit) -> None:
        secret = visit.request.cookies.get(COOKIE, "")
        async with self.database.connection() as connection:
            if secret:
                visit.browser = await logins.find_browser(connection, secret, self.clock())
            if visit.browser is None:
                if wait_s := self.tries.take(visit.seen.address, 0.2):
                    raise self.too_many(visit, wait_s)
                await self.reopen(connection, visit)
            elif visit.browser.external is not None:
                visit.person = self.outsider(visit.browser)
            elif visit.browser.subject:
                visit.person = await people.find(connection, visit.browser.subject)

    def outsider(self, browser: Browser) -> Person | None:
        """Who logged in at the provider outside, as far as it said; None if nobody logs in there any more."""
        if self.outside is None or not self.outside.logs_in:
            return None
        assert browser.external is not None, "the provider said something"
        assert browser.auth_time is not None, "and when"
        who, at = external_bearer(browser.external), browser.auth_time
        return Person(who.subject, who.desk, State.ACTIVE, who.access, at, at, display_name=who.shown)

    @property
    def local_login(self) -> bool:
        """Whether passwords of ours are taken."""
        return self.outside is None or self.outside.local_login

    async def reopen(
        self,
        connection: asyncpg.Connection,
        visit: Visit,
        *,
        subject: str = "",
        methods: tuple[str, ...] = (),
        keep: Browser | None = None,
        external: str | None = None,
        auth_time: datetime | None = None,
    ) -> None:
        """Gives the browser a new cookie; what it waited for goes on under it if `keep` is the browser before.

        Args:
            external: what the provider outside said, with `auth_time`; the time of a proof here is now.
        """
        now = self.clock()
        life_s = self.settings.browser_life_s if subject else STRANGER_LIFE_S
        secret, csrf = new_secret(), new_secret()
        if keep is not None:
            await logins.close_browser(connection, keep.sha256)
        await logins.open_browser(
            connection,
            secret,
            csrf,
            now + timedelta(seconds=life_s),
            subject=subject,
            methods=methods,
            auth_time=(auth_time or now) if subject else None,
            external=external,
            pending=keep.pending if keep else "",
            device_code=keep.device_code if keep else "",
        )
        visit.browser = await logins.find_browser(connection, secret, now)
        visit.fresh = secret

    async def _form(self, visit: Visit) -> dict[str, str]:
        headers = visit.request.headers
        origin, site = headers.get("origin"), headers.get("sec-fetch-site")
        if (origin is not None and origin != self.issuer) or site not in (None, "same-origin", "none"):
            raise self.refusal(visit, "The form comes from another site.", status=403)
        form = await form_of(visit.request)
        if not hmac.compare_digest(form.pop("csrf", "").encode(), visit.known.csrf.encode()):
            raise self.refusal(visit, "The form is too old, or not of this browser: open the page again.", status=403)
        return form

    def _let_in(self, visit: Visit, needs: str) -> None:
        if not needs:
            return
        browser, person = visit.known, visit.person
        if not browser.subject or person is None or person.state is not State.ACTIVE:
            raise Stop(self.go("/login/"))
        if person.one_time and visit.request.url.path not in WHILE_ONE_TIME:
            raise Stop(self.go("/account/password"))
        if browser.external is not None and visit.request.url.path in OURS:
            host = self.outside.host if self.outside is not None else ""
            raise self.refusal(visit, f"Your password and second factor are kept by {host}.", status=403)
        if needs == "login" and not self.logged_in(browser, person):
            raise Stop(self.go("/login/factor"))

    @staticmethod
    def logged_in(browser: Browser, person: Person) -> bool:
        """Whether every factor that a person has was proved."""
        active = bool(browser.subject) and person.state is State.ACTIVE
        return active and (not person.has_factor or acr_of(browser.methods) == "2")

    def recent(self, browser: Browser, seconds: float) -> bool:
        """Whether the last proof is not older than that."""
        return browser.auth_time is not None and (self.clock() - browser.auth_time).total_seconds() <= seconds

    def need_recent(self, visit: Visit) -> None:
        """Lets on only who has proved everything within PRIVILEGED_S.

        Raises:
            Stop: the browser has to log in again.
        """
        if not self.recent(visit.known, PRIVILEGED_S):
            second = bool(SECOND_FACTORS & set(visit.known.methods))
            raise Stop(self.go("/login/factor?again=1" if second else "/login/?again=1"))

    def try_again_later(self, visit: Visit) -> None:
        """Takes one try of the address.

        Raises:
            Stop: it has none left.
        """
        if wait_s := self.tries.take(visit.seen.address):
            raise self.too_many(visit, wait_s)

    def too_many(self, visit: Visit, wait_s: float) -> Stop:
        """The answer to who tries too often."""
        stop = self.refusal(visit, f"Too many tries. Wait {wait_s:.0f} s.", status=429, title="Too many tries")
        stop.answer.headers["retry-after"] = str(int(wait_s) + 1)
        return stop

    async def change(self, visit: Visit, work: Callable[[Change], Awaitable[None]]) -> None:
        """Does work with its facts, as the browser's person."""
        await self.writer.change(visit.origin, work)

    def _set_cookie(self, visit: Visit, answer: Response) -> None:
        if visit.fresh == "-":
            answer.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="lax")
        elif visit.fresh:
            answer.set_cookie(COOKIE, visit.fresh, path="/", secure=True, httponly=True, samesite="lax")
