"""Where orders are kept: one commit for everything that a batch has changed, and the reading back."""

from services.trading.store.batch import Batch
from services.trading.store.commits import Duplicate, GateIsNewer, Store, TakenOver
from services.trading.store.reading import Reading

__all__ = ["Batch", "Duplicate", "GateIsNewer", "Reading", "Store", "TakenOver"]
