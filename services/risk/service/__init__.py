"""The gRPC surface of `risk`: books in, risk figures out. Nothing is kept."""

from services.risk.service.backtest import BacktestCalls
from services.risk.service.books import BookCalls
from services.risk.service.margin import MarginCalls
from services.risk.service.var import VarCalls


class RiskService(VarCalls, BookCalls, BacktestCalls, MarginCalls):
    """Risk figures of books that requests carry."""


__all__ = ["RiskService"]
