"""Instructions, orders and reports as they are kept."""

from services.broker.routed import Routed, Told, Waiting
from services.broker.store.commits import Input, Outcome, Store, write_inputs
from services.broker.store.reading import Reading

__all__ = ["Input", "Outcome", "Reading", "Routed", "Store", "Told", "Waiting", "write_inputs"]
