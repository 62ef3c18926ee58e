"""The gRPC surface of `pricing`."""

from services.pricing.service.prices import PricingService
from services.pricing.service.quotes import QuotingService
from services.pricing.service.snapshots import SnapshotService

__all__ = ["PricingService", "QuotingService", "SnapshotService"]
