"""Logging in at another provider: the browser goes there and comes back with a code (OpenID Connect Core 1.0, 3.1)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from starlette.responses import Response

from crossrate.api.identity.v1 import identity_events_pb2 as events_pb2
from services.identity.domain.session import Wanted, acr_of
from services.identity.external import ExternalProvider, ExternalRefused, NotProved
from services.identity.store import logins
from services.identity.store.writing import Change
from services.identity.web.forms import parsed
from services.identity.web.site import Site, Visit

BACK = "/login/outside/back"
QUERY_CHARS_MAX = 8192
PROOF = "Prove a second factor at {host} and begin again; if you did, its settings for crossrate are to say so: {why}."


class OutsidePages:
    """/login/outside."""

    def __init__(self, site: Site) -> None:
        self._site = site

    def _provider(self, visit: Visit) -> ExternalProvider:
        provider = self._site.outside
        if provider is None or not provider.logs_in:
            raise self._site.refusal(visit, "Nobody logs in elsewhere here.", status=404)
        return provider

    async def begin(self, visit: Visit) -> Response:
        """Shows where the browser goes now; a page and not a redirection, which policies of forms would not let by."""
        site, provider, query = self._site, self._provider(visit), visit.request.query_params
        site.try_again_later(visit)
        wanted = Wanted.of("2" if query.get("second") == "1" else "", query.get("max_age", ""))
        try:
            url, kept = await provider.ask(f"{site.issuer}{BACK}", wanted)
        except ExternalRefused as refused:
            site.log.warning("the provider outside cannot be asked", reason=str(refused))
            raise site.refusal(visit, f"{provider.host} cannot be asked now: try again.", status=503) from None
        sealed = site.vault.seal(kept.encode(), _purpose(visit))
        async with site.database.connection() as connection:
            await logins.keep(connection, visit.known, asked=sealed)
        return site.page(visit, "outside", url=url, host=provider.host, local=provider.local_login)

    async def back(self, visit: Visit) -> Response:
        """The browser comes back: what the provider says is asked of the provider itself, once."""
        site, provider = self._site, self._provider(visit)
        query = visit.request.url.query
        if len(query) > QUERY_CHARS_MAX:
            raise site.refusal(visit, "The request is too long.")
        answer = parsed(query)
        async with site.database.connection() as connection:
            sealed = await logins.take_asked(connection, visit.known)
        if sealed is None:
            raise site.refusal(visit, "This browser has not asked, or was answered before: begin again.")
        kept = site.vault.unseal(sealed, _purpose(visit)).decode()
        try:
            said = await provider.answered(kept, answer, f"{site.issuer}{BACK}", site.clock().timestamp())
        except ExternalRefused as refused:
            await self._failed(visit, str(refused))
            words = f"{provider.host} has not let you in."
            if isinstance(refused, NotProved):
                words = PROOF.format(host=provider.host, why=refused)
            raise site.refusal(visit, words, status=403) from None
        await self._in(visit, said)
        return site.onward(visit)

    async def _in(self, visit: Visit, said: str) -> None:
        site, told = self._site, _Said(json.loads(said))
        at = min(told.at, site.clock())

        async def work(change: Change) -> None:
            await site.reopen(
                change.connection,
                visit,
                subject=told.subject,
                methods=told.methods,
                keep=visit.known,
                external=said,
                auth_time=at,
            )
            fact = events_pb2.LoggedIn(subject=told.subject, methods=told.methods, acr=acr_of(told.methods))
            change.tell(told.subject, fact)

        await site.change(visit, work)
        visit.person = site.outsider(visit.known)

    async def _failed(self, visit: Visit, why: str) -> None:
        self._site.log.info("the provider outside has not let somebody in", reason=why)

        async def work(change: Change) -> None:
            change.tell("unknown", events_pb2.LoginFailed(reason="PROVIDER"))

        await self._site.change(visit, work)


class _Said:
    """The part of what a provider said that opens a browser."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.subject: str = told["subject"]
        self.methods = tuple(told["methods"])
        self.at = datetime.fromtimestamp(told["auth_s"], UTC)


def _purpose(visit: Visit) -> str:
    return f"outside {visit.known.sha256.hex()}"
