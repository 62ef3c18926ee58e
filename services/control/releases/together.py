"""What control knows of a release's services together. Each has its own `Look`; here is their order.

```
promotion   callees first: what is new in a callee serves the old callers, as the gate has shown, while a new caller may
            need it. All calls stay with the candidates until every service is the new version.
the way back callers first: while a candidate may still call, the candidates behind it serve its calls. One that was
            promoted already becomes what it was before its callees do.
```
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from services.control.releases.domain import Finding, Phase, Release, Seen
from services.control.releases.looking import Look
from services.control.releases.world import World
from services.control.shadow.seen import ShadowSeen


class Looks:
    """Looks at all services of one release, and works for them."""

    def __init__(self, world: World, changed: Callable[[], None], release: Release) -> None:
        self._several = release.specification.several
        self._looks = {part.service: Look(world, changed, part) for part in release.parts}

    def seen(self, release: Release) -> Seen:
        """What is known now: what speaks against one speaks against the release, and what one waits for all do."""
        seen = {part.service: self._looks[part.service].seen(part) for part in release.parts}
        if not self._several:
            return seen[release.service]
        wanted = {each.service: each.candidate.instances for each in release.specification.released}
        every = seen.values()
        return Seen(
            serving=sum(min(one.serving, wanted[service]) for service, one in seen.items()),
            failure=_first({service: one.failure for service, one in seen.items()}),
            gate_passed=all(one.gate_passed for one in every),
            verdict=_first({service: one.verdict for service, one in seen.items()}),
            may_go_on=all(one.may_go_on for one in every),
            promoted=all(one.promoted for one in every),
            promotion_failure=_first({service: one.promotion_failure for service, one in seen.items()}),
            candidate_gone=all(one.candidate_gone for one in every),
            lacking=tuple(service for service, one in seen.items() if one.serving < wanted[service]),
        )

    def findings(self) -> tuple[Finding, ...]:
        """What the analysis says of each service, failures first; nothing without one."""
        found = [self._told(service, finding) for service, look in self._looks.items() for finding in look.findings()]
        return tuple(sorted(found, key=lambda finding: finding.outcome != "FAIL") if self._several else found)

    def _told(self, service: str, finding: Finding) -> Finding:
        told = f"{service}: {finding.explanation}" if self._several else finding.explanation
        return replace(finding, service=service, explanation=told)

    @property
    def shadow(self) -> ShadowSeen | None:
        """What the shadow has found; None without one. Several services have none."""
        (first, *_) = self._looks.values()
        return first.shadow

    def work(self, release: Release) -> None:
        """Begins what the release's phase needs and what is not being done yet."""
        parts = release.parts
        if release.phase is Phase.PROMOTING:
            for part in reversed(parts):
                self._looks[part.service].work(part)
                if not self._looks[part.service].promoted:
                    break
        elif release.phase in (Phase.ABORTING, Phase.COMPLETING, Phase.PROMOTED):
            for part in parts:
                self._looks[part.service].work(part)
                if not self._looks[part.service].gone:
                    break
        else:
            for part in parts:
                self._looks[part.service].work(part)

    async def close(self) -> None:
        """Ends what is being done; the node goes on with what it was asked."""
        for look in self._looks.values():
            await look.close()


def _first(words: dict[str, str]) -> str:
    """The first that is said, with the service that it is said of."""
    return next((f"{service}: {said}" for service, said in words.items() if said), "")
