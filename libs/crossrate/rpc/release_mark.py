"""The mark by which a call of a release of several services stays with one version on its way through them.

The first of these services that a call meets chooses a version, and its proxy writes the mark; what serves the call
hands it on with every call that it makes meanwhile, and the proxies of the other services do what it says. A service
that has no part in the release hands it on as well. Clients cannot send it: the edge takes away what begins with
x-crossrate-, and nobody but services and the edge is let in behind it.
"""

from __future__ import annotations

RELEASE_HEADER = "x-crossrate-release"
"""Says under which release a call is answered; the proxy in front of a service writes it, and the edge takes away what
a client sent."""
RULE_HEADER = "x-crossrate-release-rule"
"""Says to which side a call of a release was sent and by which of its rules, "candidate; weight 5 %, by chance": for
who asks afterwards. It stands beside RELEASE_HEADER and comes from where that does."""
MARK_HEADER = "x-crossrate-release-mark"
OF_NOBODY = "background"
"""The mark of a call that a service makes for nobody's call: it is for the stable version."""


def mark_of(release_id: str, side: str) -> str:
    """The mark of a release's calls to a side, "stable" or "candidate"."""
    return f"{release_id}:{side}"
