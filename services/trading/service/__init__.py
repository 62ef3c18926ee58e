"""The calls of `trading`."""

from services.trading.service.state import TradingStateService
from services.trading.service.trading import TradingService, register

__all__ = ["TradingService", "TradingStateService", "register"]
