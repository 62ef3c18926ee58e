"""What a person has still to prove before a program gets what it asked for."""

from __future__ import annotations

from urllib.parse import urlencode

from services.identity.domain.session import Wanted, acr_of
from services.identity.external import LEEWAY_S
from services.identity.web.site import Site, Visit


def missing(site: Site, visit: Visit, wanted: Wanted, *, anew: bool = False) -> str:
    """The page on which more is to be proved, "" if everything is.

    Args:
        anew: whatever is proved first is proved again (`prompt=login`).

    Raises:
        Stop: a second factor is wanted, and the person has none.
    """
    browser, person = visit.known, visit.person
    assert person is not None, "somebody is logged in"
    if browser.external is not None:
        return _outside(site, visit, wanted, anew=anew)
    if wanted.second and not person.has_factor:
        raise site.refusal(
            visit,
            "This needs a second factor, and you have none: set up one-time codes or a passkey under /account/.",
            status=403,
            title="A second factor is needed",
        )
    stale = wanted.max_age_s is not None and not site.recent(browser, max(wanted.max_age_s, 1))
    if stale or (anew and not site.recent(browser, 1)):
        return "/login/factor?again=1" if person.has_factor else "/login/?again=1"
    return ""


def _outside(site: Site, visit: Visit, wanted: Wanted, *, anew: bool) -> str:
    """The way to the provider outside if more is to be proved there. Times are its clock's, with the same leeway as
    where its answer is looked at, so that nobody is sent to and fro."""
    browser = visit.known
    if anew and not site.recent(browser, 1 + LEEWAY_S):
        wanted = Wanted(wanted.second, 0)
    fresh = wanted.max_age_s is None or site.recent(browser, max(wanted.max_age_s, 1) + LEEWAY_S)
    if fresh and (not wanted.second or acr_of(browser.methods) == "2"):
        return ""
    asked = {"second": "1"} if wanted.second else {}
    if wanted.max_age_s is not None:
        asked["max_age"] = str(wanted.max_age_s)
    return f"/login/outside?{urlencode(asked)}"
