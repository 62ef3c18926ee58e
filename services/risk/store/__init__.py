"""What risk keeps: limits, kills, certificates, marks of days."""

from services.risk.store.kills import KillStore
from services.risk.store.limits import LimitStore
from services.risk.store.margins import MarginStore
from services.risk.store.term import Term

__all__ = ["KillStore", "LimitStore", "MarginStore", "Term"]
