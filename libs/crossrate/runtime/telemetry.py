"""Traces by OTLP, only where CROSSRATE_OTLP_ENDPOINT names a collector; without one nothing is created or sent.

Whether a call is traced is decided once, at the first server that sees it without a trace of its own (by ratio), and
travels with the call in the sampled flag of `traceparent`; so the provider here samples whatever it is given.
"""

from __future__ import annotations

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

SPANS_QUEUED_MAX = 4096
"""Spans that wait for the collector; what comes on top is dropped by the processor."""


class Telemetry:
    """The process's tracer.

    `tracer` is None when traces are off. `ratio` is the share of calls without a trace that begin one, 0 to 1.
    """

    def __init__(self, tracer: trace.Tracer | None = None, ratio: float = 0.0, provider: TracerProvider | None = None):
        self.tracer = tracer
        self.ratio = ratio if tracer else 0.0
        self._provider = provider

    @classmethod
    def start(
        cls,
        service: str,
        instance: str,
        version: str,
        endpoint: str,
        ratio: float,
        exporter: SpanExporter | None = None,
    ) -> Telemetry:
        """Starts sending traces, or returns a telemetry that is off if there is neither endpoint nor exporter.

        Args:
            endpoint: the collector's gRPC address, "http://127.0.0.1:4317"; http means plain text. Empty: off.
            exporter: used instead of OTLP.
        """
        if not endpoint and exporter is None:
            return cls()
        otlp = exporter is None
        exporter = exporter or OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"))
        resource = Resource.create(
            {"service.name": service, "service.instance.id": instance, "service.version": version}
        )
        provider = TracerProvider(resource=resource, sampler=ALWAYS_ON, shutdown_on_exit=False)
        provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=SPANS_QUEUED_MAX))
        if otlp:
            trace.set_tracer_provider(provider)
        return cls(provider.get_tracer("crossrate"), ratio, provider)

    def stop(self) -> None:
        """Sends what is left. Blocks for as long as the collector takes, at most a few seconds."""
        if self._provider is not None:
            self._provider.shutdown()
