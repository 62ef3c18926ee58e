"""Logging in: a name and a password, then a second factor where there is one; logging out."""

from __future__ import annotations

import json
from typing import Any

import webauthn
from pyotp import TOTP
from starlette.responses import Response
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import PublicKeyCredentialDescriptor, UserVerificationRequirement

from services.identity.domain.person import Person, State
from services.identity.domain.session import SECOND_FACTORS, acr_of
from services.identity.domain.totp import accepted_step
from services.identity.passwords import Busy
from services.identity.store import logins, people
from services.identity.store.writing import Change
from services.identity.vault import digest
from services.identity.web.site import Site, Visit

WRONG = "The name or the password is wrong, or there were too many tries: then wait a while."
PASSWORD_CHARS_MAX = 1024


class Login:
    """The pages below /login/."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, visit: Visit) -> Response:
        """The form; who is logged in already goes on."""
        site, browser = self._site, visit.known
        again = visit.request.query_params.get("again") == "1"
        if visit.person is not None and visit.person.state is State.ACTIVE and not again:
            return site.onward(visit) if site.logged_in(browser, visit.person) else site.go("/login/factor")
        ours = site.local_login and (site.outside is None or visit.request.query_params.get("local") == "1" or again)
        if site.outside is not None and site.outside.logs_in and not ours:
            return site.go("/login/outside")
        return site.page(visit, "login", name=browser.subject, wrong="")

    async def password(self, visit: Visit) -> Response:
        """A name and a password came."""
        site, form = self._site, visit.form
        if not site.local_login:
            raise site.refusal(visit, "Passwords are not taken here: log in under /login/.", status=403)
        site.try_again_later(visit)
        name, password = form.get("name", "").strip().lower()[:64], form.get("password", "")[:PASSWORD_CHARS_MAX]
        async with site.database.connection() as connection:
            person = await people.find(connection, name)
        now = site.clock()
        may = person is not None and person.may_log_in(now)
        try:
            right = await site.passwords.right(person.password_hash if person and may else "", password)
        except Busy:
            raise site.too_many(visit, 5.0) from None
        if not right or person is None:
            await self._failed(visit, person, may)
            return site.page(visit, "login", status=401, name=name, wrong=WRONG)
        outdated = site.passwords.outdated(person.password_hash)
        fresh_hash = await site.passwords.hash(password) if outdated else person.password_hash

        async def work(change: Change) -> None:
            if outdated:
                await change.connection.execute(
                    "UPDATE person SET password_hash = $2 WHERE name = $1 AND password_hash = $3",
                    name,
                    fresh_hash,
                    person.password_hash,
                )
            await site.reopen(change.connection, visit, subject=name, methods=("pwd",), keep=visit.known)
            if not person.has_factor:
                await logins.note_login(change, name, ("pwd",), "1")

        await site.change(visit, work)
        visit.person = person
        return site.go("/login/factor") if person.has_factor else site.onward(visit)

    async def _failed(self, visit: Visit, person: Person | None, may: bool) -> None:
        reason = "UNKNOWN"
        if person is not None:
            locked = person.locked(self._site.clock())
            reason = "PASSWORD" if may else ("LOCKED" if locked else "DISABLED")
        name = person.name if person is not None else ""

        async def work(change: Change) -> None:
            await logins.note_failure(change, name, reason)

        await self._site.change(visit, work)

    # The second factor

    async def factor(self, visit: Visit) -> Response:
        """The form for a one-time code, a passkey or a recovery code."""
        return await self._factor_page(visit, "")

    async def _factor_page(self, visit: Visit, wrong: str, status: int = 200) -> Response:
        site, person = self._site, visit.person
        assert person is not None, "who gets here has proved a password"
        again = visit.request.query_params.get("again") == "1" or visit.form.get("again") == "1"
        if not person.has_factor or (site.logged_in(visit.known, person) and not again):
            return site.onward(visit)
        options = ""
        async with site.database.connection() as connection:
            passkeys = await logins.passkeys_of(connection, person.name)
            if passkeys:
                made = webauthn.generate_authentication_options(
                    rp_id=site.host,
                    allow_credentials=[PublicKeyCredentialDescriptor(id=key.credential_id) for key in passkeys],
                    user_verification=UserVerificationRequirement.PREFERRED,
                )
                await logins.keep(connection, visit.known, challenge=made.challenge)
                options = webauthn.options_to_json(made)
        has_totp = person.totp_sealed is not None
        return site.page(
            visit, "factor", status=status, wrong=wrong, options=options, has_totp=has_totp, again="1" if again else ""
        )

    async def prove(self, visit: Visit) -> Response:
        """A code or a passkey's signature came."""
        site, person, form = self._site, visit.person, visit.form
        assert person is not None, "who gets here has proved a password"
        site.try_again_later(visit)
        if person.locked(site.clock()):
            await self._failed(visit, person, False)
            return await self._factor_page(visit, "There were too many tries: wait a while.", status=401)
        if form.get("credential"):
            method, right, reason = "hwk", await self._passkey(visit, person, form["credential"]), "PASSKEY"
        elif form.get("recovery"):
            method, right, reason = "otp", await self._recovery(visit, person, form["recovery"]), "RECOVERY_CODE"
        else:
            method, right, reason = "otp", await self._totp(visit, person, form.get("code", "")), "TOTP"

        async def failed(change: Change) -> None:
            await logins.note_failure(change, person.name, reason)

        async def proved(change: Change) -> None:
            methods = tuple(dict.fromkeys((*visit.known.methods, method)))
            stepped = bool(SECOND_FACTORS & set(visit.known.methods))
            await site.reopen(change.connection, visit, subject=person.name, methods=methods, keep=visit.known)
            await logins.note_login(change, person.name, methods, acr_of(methods), stepped=stepped)

        if not right:
            await site.change(visit, failed)
            return await self._factor_page(visit, "That was not right, or was used before.", status=401)
        await site.change(visit, proved)
        return site.onward(visit)

    async def _totp(self, visit: Visit, person: Person, code: str) -> bool:
        code = code.replace(" ", "")
        if person.totp_sealed is None or len(code) != 6 or not (code.isascii() and code.isdigit()):
            return False
        generator = TOTP(self._site.vault.unseal(person.totp_sealed, f"totp {person.name}").decode())
        now_s = self._site.clock().timestamp()
        step = accepted_step(code, now_s, person.totp_step, lambda step: generator.generate_otp(step))
        used: list[bool] = []

        async def work(change: Change) -> None:
            used[:] = [step is not None and await logins.use_totp(change, person.name, step)]

        await self._site.change(visit, work)
        return used[0]

    async def _recovery(self, visit: Visit, person: Person, code: str) -> bool:
        plain = code.replace("-", "").replace(" ", "").lower()
        used: list[bool] = []

        async def work(change: Change) -> None:
            used[:] = [await logins.use_recovery(change, person.name, digest(plain))]

        await self._site.change(visit, work)
        return used[0]

    async def _passkey(self, visit: Visit, person: Person, credential: str) -> bool:
        site = self._site
        async with site.database.connection() as connection:
            challenge = await logins.take_challenge(connection, visit.known)
            passkeys = {key.credential_id: key for key in await logins.passkeys_of(connection, person.name)}
        if challenge is None:
            return False
        try:
            said: dict[str, Any] = json.loads(credential)
            passkey = passkeys[webauthn.base64url_to_bytes(said["rawId"])]
            verified = webauthn.verify_authentication_response(
                credential=said,
                expected_challenge=challenge,
                expected_rp_id=site.host,
                expected_origin=site.issuer,
                credential_public_key=passkey.public_key,
                credential_current_sign_count=passkey.sign_count,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            return False
        used: list[bool] = []

        async def work(change: Change) -> None:
            count = verified.new_sign_count
            used[:] = [await logins.use_passkey(change, passkey.credential_id, passkey.sign_count, count)]

        await site.change(visit, work)
        return used[0]

    async def out(self, visit: Visit) -> Response:
        """Logs the browser out; programs stay logged in."""
        site = self._site
        async with site.database.connection() as connection:
            await logins.close_browser(connection, visit.known.sha256)
        visit.fresh = "-"
        return site.page(visit, "message", title="Logged out", words="This browser is logged out.")
