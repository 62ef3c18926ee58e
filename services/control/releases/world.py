"""Where a release's facts come from: the registry, the proxies, the log of calls, the node, NATS."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from services.control.ads import AdsServer
from services.control.bus import Bus
from services.control.instances import Instances
from services.control.registry import Registered, Registry, serving_of
from services.control.releases.calls import CallLog, Judge
from services.control.releases.kept_evidence import KeptEvidence
from services.control.releases.nodes import Node
from services.control.split import candidate_backend


@dataclass
class World:
    """Where a release's facts come from."""

    registry: Registry
    instances: Instances
    ads: AdsServer
    bus: Bus
    node: Node
    calls: CallLog
    judge: Judge
    kept: KeptEvidence
    log: Any
    began: float = field(default_factory=time.monotonic)

    def serving(self, service: str, *, settled: bool) -> int:
        """Candidate instances that take calls; `settled`: and that every proxy knows."""
        return sum(
            i.serving and (not settled or self.ads.has_settled(i.offered_version)) for i in self.candidates(service)
        )

    def candidates(self, service: str) -> list[Registered]:
        """The candidate instances that are registered."""
        backend = candidate_backend(service)
        return [i for i in self.registry.instances.values() if i.backend == backend]

    def stable(self, service: str) -> list[Registered]:
        """The service's own instances that take calls."""
        return serving_of(self.registry, service)
