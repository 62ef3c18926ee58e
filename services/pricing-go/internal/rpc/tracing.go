package rpc

import (
	"context"
	"math/rand/v2"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	otelcodes "go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc/codes"

	"crossrate/pricing/internal/mesh"
)

const (
	spansQueuedMax = 4096
	flushMax       = 5 * time.Second
)

// serverFaults are the codes that mark a server's span as failed; the others are answers to a caller's mistake.
var serverFaults = map[codes.Code]bool{
	codes.Unknown: true, codes.DeadlineExceeded: true, codes.Unimplemented: true, codes.Internal: true, codes.Unavailable: true,
	codes.DataLoss: true,
}

// tracing records spans where the trace is sampled: by the caller's traceparent, and of calls without one a share that the settings
// give. Nothing is created where no collector is named.
type tracing struct {
	provider *sdk.TracerProvider
	tracer   trace.Tracer
	ratio    float64
}

func newTracing(ctx context.Context, settings mesh.Settings) (*tracing, error) {
	if settings.OTLPEndpoint == "" {
		return &tracing{}, nil
	}
	options := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(settings.OTLPEndpoint)}
	if !strings.HasPrefix(settings.OTLPEndpoint, "https://") {
		options = append(options, otlptracegrpc.WithInsecure())
	}
	exporter, err := otlptracegrpc.New(ctx, options...)
	if err != nil {
		return nil, err
	}
	about := resource.NewSchemaless(
		attribute.String("service.name", settings.Service), attribute.String("service.instance.id", settings.Instance),
		attribute.String("service.version", settings.Version),
	)
	provider := sdk.NewTracerProvider(
		sdk.WithResource(about), sdk.WithSampler(sdk.AlwaysSample()),
		sdk.WithBatcher(exporter, sdk.WithMaxQueueSize(spansQueuedMax)),
	)
	return &tracing{provider, provider.Tracer("crossrate"), settings.TraceRatio}, nil
}

// begin is the span of a call that was let in; nil if its trace is not recorded.
func (t *tracing) begin(w *work, traceparents []string) trace.Span {
	if t.tracer == nil {
		return nil
	}
	around, parent := context.Background(), trace.SpanContext{}
	if len(traceparents) == 1 {
		carrier := propagation.MapCarrier{"traceparent": traceparents[0]}
		around = propagation.TraceContext{}.Extract(around, carrier)
		parent = trace.SpanContextFromContext(around)
	}
	if parent.IsValid() && !parent.IsSampled() || !parent.IsValid() && rand.Float64() >= t.ratio {
		return nil
	}
	service, name, _ := strings.Cut(w.method.Name, "/")
	_, span := t.tracer.Start(around, w.method.Name, trace.WithSpanKind(trace.SpanKindServer), trace.WithAttributes(
		attribute.String("rpc.system", "grpc"), attribute.String("rpc.service", service), attribute.String("rpc.method", name),
		attribute.String("crossrate.request_id", w.requestID), attribute.String("crossrate.caller", w.caller),
	))
	w.trace = span.SpanContext().TraceID().String()
	return span
}

func end(span trace.Span, code codes.Code, message string, received, sent int) {
	span.SetAttributes(
		attribute.Int("rpc.grpc.status_code", int(code)), attribute.Int("rpc.messages.received", received),
		attribute.Int("rpc.messages.sent", sent),
	)
	if code == codes.Canceled {
		span.AddEvent("cancelled")
		span.SetStatus(otelcodes.Error, "CANCELLED")
	} else if serverFaults[code] {
		span.SetStatus(otelcodes.Error, message)
	}
	span.End()
}

// stop sends what is left, for at most a few seconds.
func (t *tracing) stop() {
	if t.provider != nil {
		ctx, cancel := context.WithTimeout(context.Background(), flushMax)
		defer cancel()
		_ = t.provider.Shutdown(ctx)
	}
}
