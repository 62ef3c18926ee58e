"""A person's own page: password, one-time codes, passkeys, recovery codes, sessions. And tickets, the begin of it."""

from __future__ import annotations

import json
import secrets
from typing import Any

import segno
import webauthn
from pyotp import TOTP, random_base32
from starlette.responses import Response
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from services.identity.domain.person import RECOVERY_CODES, Person, problems_of
from services.identity.domain.totp import accepted_step
from services.identity.passwords import Busy
from services.identity.store import logins, people, tokens
from services.identity.store.ending import revoke_session
from services.identity.store.logins import Passkey
from services.identity.store.writing import Change
from services.identity.vault import digest
from services.identity.web.site import Site, Visit

PASSKEYS_MAX = 10
SESSIONS_SHOWN = 50


def new_recovery_codes() -> list[str]:
    """Codes of 80 bits for who has lost the second factor."""
    return [secrets.token_hex(10) for _ in range(RECOVERY_CODES)]


class Account:
    """The pages below /account/, and tickets."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, visit: Visit) -> Response:
        """Everything at a glance."""
        site, person = self._site, _of(visit)
        async with site.database.connection() as connection:
            passkeys = await logins.passkeys_of(connection, person.name)
            found = await tokens.session_page(connection, person.name, None, SESSIONS_SHOWN, site.clock())
        sessions = [(session, use) for session, use, _ in found]
        return site.page(visit, "account", passkeys=passkeys, sessions=sessions)

    # Password

    async def password_form(self, visit: Visit) -> Response:
        """The form to change the password."""
        return self._site.page(visit, "password", ticket="", wrong="", name=_of(visit).name)

    async def password(self, visit: Visit) -> Response:
        """A new password came, with the old one."""
        site, person, form = self._site, _of(visit), visit.form
        site.try_again_later(visit)
        try:
            right = await site.passwords.right(person.password_hash, form.get("old", "")[:1024])
        except Busy:
            raise site.too_many(visit, 5.0) from None
        if not right:

            async def failed(change: Change) -> None:
                await logins.note_failure(change, person.name, "PASSWORD")

            await site.change(visit, failed)
            words = "The old password is wrong."
            return site.page(visit, "password", status=401, ticket="", wrong=words, name=person.name)
        new_hash, wrong = await self._new_password(visit, person.name)
        if not wrong and await site.passwords.right(person.password_hash, form.get("new", "")):
            wrong = "The new password is the old one."
        if wrong:
            return site.page(visit, "password", status=400, ticket="", wrong=wrong, name=person.name)
        before = visit.known

        async def work(change: Change) -> None:
            current = await people.known(change.connection, person.name, lock="FOR UPDATE OF p")
            await people.set_password(change, current, new_hash)
            await site.reopen(change.connection, visit, subject=person.name, methods=before.methods, keep=before)

        await site.change(visit, work)
        if person.one_time:
            site.first_login.unlink(missing_ok=True)
        async with site.database.connection() as connection:
            visit.person = await people.find(connection, person.name)
        return site.onward(visit) if site.logged_in(visit.known, _of(visit)) else site.go("/login/factor")

    async def _new_password(self, visit: Visit, name: str) -> tuple[str, str]:
        """The hash of the new password, or why it is not taken."""
        new = visit.form.get("new", "")
        if new != visit.form.get("again", ""):
            return "", "The two are not the same."
        if problem := problems_of(new, name):
            return "", problem
        try:
            return await self._site.passwords.hash(new), ""
        except Busy:
            raise self._site.too_many(visit, 5.0) from None

    # Tickets

    async def ticket_form(self, visit: Visit) -> Response:
        """The form behind an invitation or a recovery link."""
        site, ticket = self._site, visit.request.query_params.get("ticket", "")[:128]
        async with site.database.connection() as connection:
            name = await people.ticket_holder(connection, ticket, site.clock())
        if not name:
            raise site.refusal(visit, "This link was used, is too old, or was replaced by another.", status=404)
        return site.page(visit, "password", ticket=ticket, wrong="", name=name)

    async def ticket(self, visit: Visit) -> Response:
        """A password came with a ticket."""
        site, ticket = self._site, visit.form.get("ticket", "")[:128]
        site.try_again_later(visit)
        async with site.database.connection() as connection:
            name = await people.ticket_holder(connection, ticket, site.clock())
        if not name:
            raise site.refusal(visit, "This link was used, is too old, or was replaced by another.", status=404)
        new_hash, wrong = await self._new_password(visit, name)
        if wrong:
            return site.page(visit, "password", status=400, ticket=ticket, wrong=wrong, name=name)
        done: list[str] = []

        async def work(change: Change) -> None:
            done[:] = [await people.use_ticket(change, ticket, new_hash)]

        await site.change(visit, work)
        if not done[0]:
            raise site.refusal(visit, "This link was used meanwhile.", status=404)
        return site.go("/login/")

    # One-time codes

    async def totp_form(self, visit: Visit) -> Response:
        """A new secret, shown as a picture and as text."""
        self._site.need_recent(visit)
        return await self._totp_page(visit, "")

    async def _totp_page(self, visit: Visit, wrong: str) -> Response:
        site, person = self._site, _of(visit)
        sealed, secret = visit.known.secret, ""
        if sealed is not None:
            secret = site.vault.unseal(sealed, f"totp {person.name}").decode()
        else:
            secret = random_base32(32)
            async with site.database.connection() as connection:
                kept = site.vault.seal(secret.encode(), f"totp {person.name}")
                await logins.keep(connection, visit.known, secret=kept)
        uri = TOTP(secret).provisioning_uri(name=person.name, issuer_name=f"crossrate {site.host}")
        picture = segno.make(uri, error="m").svg_data_uri(scale=4)
        status = 400 if wrong else 200
        return site.page(visit, "totp", status=status, picture=picture, secret=secret, wrong=wrong)

    async def totp(self, visit: Visit) -> Response:
        """The first code came: the secret is the person's from now on. Or one-time codes are to go."""
        site, person = self._site, _of(visit)
        site.need_recent(visit)
        if visit.form.get("remove") == "1":

            async def remove(change: Change) -> None:
                await logins.set_totp(change, person.name, None, person.totp_step, [])

            await site.change(visit, remove)
            return site.go("/account/")
        if visit.known.secret is None:
            return site.go("/account/totp")
        sealed = visit.known.secret
        generator = TOTP(site.vault.unseal(sealed, f"totp {person.name}").decode())
        code = visit.form.get("code", "").replace(" ", "")
        step = accepted_step(code, site.clock().timestamp(), 0, lambda step: generator.generate_otp(step))
        if step is None:
            return await self._totp_page(visit, "That code is not right. Is the clock of the device?")
        codes = new_recovery_codes()

        async def work(change: Change) -> None:
            await logins.set_totp(change, person.name, sealed, step, [digest(code) for code in codes])
            methods = tuple(dict.fromkeys((*visit.known.methods, "otp")))
            await site.reopen(change.connection, visit, subject=person.name, methods=methods, keep=visit.known)

        await site.change(visit, work)
        return site.page(visit, "recovery", codes=codes)

    async def recovery(self, visit: Visit) -> Response:
        """New recovery codes in place of the old ones."""
        site, person = self._site, _of(visit)
        site.need_recent(visit)
        if not person.has_factor:
            raise site.refusal(visit, "Recovery codes replace a second factor, and you have none.")
        codes = new_recovery_codes()

        async def work(change: Change) -> None:
            await logins.set_recovery(change, person.name, [digest(code) for code in codes])

        await site.change(visit, work)
        return site.page(visit, "recovery", codes=codes)

    # Passkeys

    async def passkey_form(self, visit: Visit) -> Response:
        """What the browser's authenticator is asked for."""
        site, person = self._site, _of(visit)
        site.need_recent(visit)
        async with site.database.connection() as connection:
            known = await logins.passkeys_of(connection, person.name)
            options = webauthn.generate_registration_options(
                rp_id=site.host,
                rp_name="crossrate",
                user_name=person.name,
                user_id=digest(f"webauthn user {person.name}"),
                user_display_name=person.shown,
                exclude_credentials=[PublicKeyCredentialDescriptor(id=key.credential_id) for key in known],
                authenticator_selection=AuthenticatorSelectionCriteria(
                    resident_key=ResidentKeyRequirement.DISCOURAGED,
                    user_verification=UserVerificationRequirement.PREFERRED,
                ),
            )
            await logins.keep(connection, visit.known, challenge=options.challenge)
        return site.page(visit, "passkey", options=webauthn.options_to_json(options))

    async def passkey(self, visit: Visit) -> Response:
        """A new passkey came, or one is to go."""
        site, person, form = self._site, _of(visit), visit.form
        site.need_recent(visit)
        if gone := form.get("remove"):

            async def remove(change: Change) -> None:
                await logins.remove_passkey(change, person.name, bytes.fromhex(gone))

            try:
                bytes.fromhex(gone)
            except ValueError:
                raise site.refusal(visit, "There is no such passkey.") from None
            await site.change(visit, remove)
            return site.go("/account/")
        async with site.database.connection() as connection:
            challenge = await logins.take_challenge(connection, visit.known)
        try:
            said: dict[str, Any] = json.loads(form.get("credential", ""))
            verified = webauthn.verify_registration_response(
                credential=said,
                expected_challenge=challenge or b"",
                expected_rp_id=site.host,
                expected_origin=site.issuer,
            )
        except (WebAuthnException, ValueError, KeyError, TypeError):
            raise site.refusal(visit, "The passkey was not taken: begin again.") from None
        if challenge is None or person.passkeys >= PASSKEYS_MAX:
            raise site.refusal(visit, f"Begin again; at most {PASSKEYS_MAX} passkeys are kept.")
        await self._keep_passkey(visit, person, verified)
        return site.go("/account/")

    async def _keep_passkey(self, visit: Visit, person: Person, verified: Any) -> None:
        site = self._site
        passkey = Passkey(
            credential_id=verified.credential_id,
            name=person.name,
            public_key=verified.credential_public_key,
            sign_count=verified.sign_count,
            display_name=visit.form.get("name", "").strip()[:64] or "passkey",
            create_time=site.clock(),
        )
        added: list[bool] = []

        async def work(change: Change) -> None:
            added[:] = [await logins.add_passkey(change, passkey)]
            methods = tuple(dict.fromkeys((*visit.known.methods, "hwk")))
            await site.reopen(change.connection, visit, subject=person.name, methods=methods, keep=visit.known)

        await site.change(visit, work)
        if not added[0]:
            raise site.refusal(visit, "Somebody has this passkey.")

    # Sessions

    async def end(self, visit: Visit) -> Response:
        """Ends one of the person's sessions, or all of them."""
        site, person, session_id = self._site, _of(visit), visit.form.get("session", "")

        async def work(change: Change) -> None:
            if session_id == "all":
                await logins.log_out_everywhere(change, person.name)
                return
            session = await tokens.find_session(change.connection, session_id)
            if session is not None and session.subject == person.name:
                await revoke_session(change, session_id, "LOGOUT")

        await site.change(visit, work)
        if session_id == "all":
            visit.fresh = "-"
            return site.page(visit, "message", title="Logged out", words="Every session is over, this one too.")
        return site.go("/account/")


def _of(visit: Visit) -> Person:
    assert visit.person is not None, "who gets here is logged in"
    return visit.person
