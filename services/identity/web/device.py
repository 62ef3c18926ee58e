"""Letting a program in that waits on another device (RFC 8628): the person types its code and says yes."""

from __future__ import annotations

from starlette.responses import Response

from services.identity.domain.device import WRONG_MAX, normal, shown
from services.identity.store import devices, logins, programs
from services.identity.web.proving import missing
from services.identity.web.site import Site, Visit


class DevicePages:
    """/device."""

    def __init__(self, site: Site) -> None:
        self._site = site

    async def show(self, visit: Visit) -> Response:
        """The form for the code; a code in the link is only filled in, so that a link alone lets nobody in."""
        site = self._site
        code = normal(visit.request.query_params.get("user_code", "")) or visit.known.device_code
        async with site.database.connection() as connection:
            await logins.keep(connection, visit.known, device_code=code or "any", pending="")
        if visit.person is None or visit.person.one_time or not site.logged_in(visit.known, visit.person):
            return site.go("/login/")
        return site.page(visit, "device", code=shown(code) if normal(code) else "", wrong="", client="", address="")

    async def answer(self, visit: Visit) -> Response:
        """A code came: first it is shown who asks, then yes or no is taken."""
        site, browser, person = self._site, visit.known, visit.person
        assert person is not None, "who gets here is logged in"
        site.try_again_later(visit)
        code, now = normal(visit.form.get("code", "")), site.clock()
        async with site.database.connection() as connection:
            waiting = await devices.waiting(connection, code, now) if code and browser.wrong_codes < WRONG_MAX else None
            if waiting is None:
                await logins.keep(connection, browser, wrong_codes=browser.wrong_codes + 1)
                words = "No program waits with this code. It is good for ten minutes, once."
                if browser.wrong_codes + 1 >= WRONG_MAX:
                    words = "Too many wrong codes: log out and in again."
                return site.page(visit, "device", status=400, code="", wrong=words, client="", address="")
            device, address = waiting
            client = await programs.find_client(connection, device.client_id)
        if place := missing(site, visit, device.wanted):
            # With the code kept, so that the way leads back here.
            async with site.database.connection() as connection:
                await logins.keep(connection, browser, device_code=code, pending="")
            return site.go(place)
        name = client.shown if client is not None else device.client_id
        if (said := visit.form.get("answer")) not in ("yes", "no"):
            return site.page(visit, "device", code=shown(code), wrong="", client=name, address=address)
        assert browser.auth_time is not None, "somebody is logged in"
        async with site.database.transaction() as connection:
            yes = said == "yes"
            done = await devices.decide(
                connection, code, yes, person.name, browser.methods, browser.auth_time, now, browser.external
            )
            await logins.keep(connection, browser, device_code="", wrong_codes=0)
        if not done:
            raise site.refusal(visit, "Somebody has answered before, or it is too late.")
        words = f"{name} is logged in as you. You can close this page." if yes else f"{name} stays out."
        return site.page(visit, "message", title="Done", words=words)
