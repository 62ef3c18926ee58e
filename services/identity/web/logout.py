"""Logging out by a program's wish (OpenID Connect RP-Initiated Logout 1.0): the person confirms, then both are out."""

from __future__ import annotations

from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from services.identity import jose
from services.identity.store import logins, programs, tokens
from services.identity.store.ending import revoke_session
from services.identity.store.writing import Change
from services.identity.web.site import Site, Visit


class Logout:
    """/oauth2/logout."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def _session_of(self, hint: str) -> tuple[str, str]:
        """The session and the program of an ID token of ours, however old; "" for none."""
        try:
            claims = self._site.signer.read(hint, self._site.clock().timestamp(), typ="jwt", late=True)
            return claims["sid"], str(claims.get("aud", ""))
        except jose.Refused:
            return "", ""

    async def ask(self, visit: Visit) -> Response:
        """The question."""
        query = visit.request.query_params
        hint, back = query.get("id_token_hint", "")[:8192], query.get("post_logout_redirect_uri", "")[:1024]
        return self._site.page(visit, "logout", hint=hint, back=back, state=query.get("state", "")[:512])

    async def end(self, visit: Visit) -> Response:
        """Yes: the program's session and this browser's."""
        site, form = self._site, visit.form
        session_id, client_id = self._session_of(form.get("hint", ""))
        async with site.database.connection() as connection:
            session = await tokens.find_session(connection, session_id) if session_id else None
            client = await programs.find_client(connection, client_id) if client_id else None

        async def work(change: Change) -> None:
            # A hint alone ends nobody else's session.
            if session is not None and visit.known.subject in ("", session.subject):
                await revoke_session(change, session_id, "LOGOUT")
            await logins.close_browser(change.connection, visit.known.sha256)

        await site.change(visit, work)
        visit.fresh = "-"
        back = form.get("back", "")
        if back and client is not None and client.may_return_to(back):
            state = urlencode({"state": form["state"]}) if form.get("state") else ""
            return RedirectResponse(f"{back}{'&' if '?' in back else '?'}{state}" if state else back, 303)
        return site.page(visit, "message", title="Logged out", words="You are logged out.")
