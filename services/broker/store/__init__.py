"""Instructions, orders and reports as they are kept."""

from services.broker.domain.routed import Routed, Told, Waiting
from services.broker.store.commits import Outcome, Store
from services.broker.store.reading import Reading

__all__ = ["Outcome", "Reading", "Routed", "Store", "Told", "Waiting"]
