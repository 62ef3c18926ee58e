"""The gRPC surface of `pricing`."""

from services.pricing.service.prices import PricingService
from services.pricing.service.quotes import QuotingService
from services.pricing.service.snapshots import SnapshotService
from services.pricing.service.streams import PriceStreamService

__all__ = ["PriceStreamService", "PricingService", "QuotingService", "SnapshotService"]
