package rpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/debug"
	"time"

	"buf.build/go/protovalidate"
	"go.opentelemetry.io/otel/trace"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/encoding"
	protocodec "google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"crossrate/pricing/internal/mesh"
)

// frame is a request as it came, before it is decoded: refusing a caller costs no decoding, and what cannot be decoded is
// answered in the contract's words.
type frame struct{ content []byte }

// codec is that of protobuf, which leaves a frame as it is.
type codec struct{ encoding.CodecV2 }

func newCodec() codec { return codec{encoding.GetCodecV2(protocodec.Name)} }

func (c codec) Unmarshal(data mem.BufferSlice, into any) error {
	if raw, is := into.(*frame); is {
		raw.content = data.Materialize()
		return nil
	}
	return c.CodecV2.Unmarshal(data, into)
}

// chain is what happens around a handler:
//
//	arrival -> ids -> admission (caller, right, time, room) -> size, decoding, rules -> handler -> status
type chain struct {
	settings  mesh.Settings
	log       *slog.Logger
	admission *admission
	counts    *counts
	denials   *denials
	validator protovalidate.Validator
	tracing   *tracing
	// broken is told that an invariant broke: memory cannot be trusted any more.
	broken func()
}

// wrap puts the chain around every method of a service.
func (c *chain) wrap(desc grpc.ServiceDesc) (*grpc.ServiceDesc, error) {
	wrapped := desc
	wrapped.Methods, wrapped.Streams = nil, nil
	for _, each := range desc.Methods {
		m, err := c.method(desc.ServiceName, each.MethodName)
		if err != nil {
			return nil, err
		}
		wrapped.Methods = append(wrapped.Methods, grpc.MethodDesc{MethodName: each.MethodName, Handler: c.unary(m, each.Handler)})
	}
	for _, each := range desc.Streams {
		m, err := c.method(desc.ServiceName, each.StreamName)
		if err != nil {
			return nil, err
		}
		each.Handler = c.stream(m, each.Handler)
		wrapped.Streams = append(wrapped.Streams, each)
	}
	return &wrapped, nil
}

func (c *chain) method(service, name string) (*method, error) {
	contract, err := contractOf(service, name)
	if err != nil {
		return nil, err
	}
	m := &method{Contract: contract}
	if !contract.Housekeeping {
		m.allowed, m.needed = allowedCallers(contract, c.admission.topology), neededFor(contract.Deadline)
	}
	c.counts.started.WithLabelValues(contract.Name)
	c.counts.inFlight.WithLabelValues(contract.Name)
	return m, nil
}

type unaryHandler = func(srv any, ctx context.Context, dec func(any) error, interceptor grpc.UnaryServerInterceptor) (any, error)

func (c *chain) unary(m *method, handler unaryHandler) grpc.MethodHandler {
	return func(srv any, ctx context.Context, receive func(any) error, _ grpc.UnaryServerInterceptor) (answer any, err error) {
		work := c.begin(ctx, m)
		defer func() { err = c.finish(work, recover(), err) }()
		var raw frame
		if err := receive(&raw); err != nil {
			return nil, err
		}
		if err := c.admission.enter(ctx, m, &work.call); err != nil {
			return nil, err
		}
		if !m.Housekeeping {
			work.span = c.tracing.begin(work, work.traceparents)
			limited, cancel := context.WithDeadline(ctx, work.deadline)
			defer cancel()
			ctx = limited
		}
		decode := func(into any) error {
			request := into.(proto.Message)
			if err := c.decode(m, raw.content, request); err != nil {
				return err
			}
			work.received, work.reached = 1, true
			return nil
		}
		return handler(srv, ctx, decode, nil)
	}
}

func (c *chain) decode(m *method, content []byte, request proto.Message) error {
	if len(content) > m.RequestBytesMax {
		says := fmt.Sprintf("the request has %d bytes; the most is %d", len(content), m.RequestBytesMax)
		return Invalid(Violation{"", says, "request.max_bytes"})
	}
	if err := proto.Unmarshal(content, request); err != nil {
		return Invalid(Violation{"", fmt.Sprintf("the request is not a %s", m.Input.FullName()), "request.encoding"})
	}
	if m.Housekeeping {
		return nil
	}
	return check(c.validator, request)
}

func (c *chain) stream(m *method, handler grpc.StreamHandler) grpc.StreamHandler {
	return func(srv any, stream grpc.ServerStream) (err error) {
		work := c.begin(stream.Context(), m)
		defer func() { err = c.finish(work, recover(), err) }()
		if err := c.admission.enter(stream.Context(), m, &work.call); err != nil {
			return err
		}
		work.reached = true
		return handler(srv, stream)
	}
}

// work is a call with its ids, for the log and the counts.
type work struct {
	call
	ctx              context.Context
	method           *method
	requestID, trace string
	traceparents     []string
	span             trace.Span
	received         int
	reached          bool
}

func (c *chain) begin(ctx context.Context, m *method) *work {
	headers, _ := metadata.FromIncomingContext(ctx)
	c.counts.begin(m.Name)
	return &work{
		call: call{begun: time.Now()}, ctx: ctx, method: m,
		requestID: requestID(headers.Get("x-request-id")), trace: traceID(headers.Get("traceparent")),
		traceparents: headers.Get("traceparent"),
	}
}

// finish turns what a handler left with into a status, by the one table of reasons, and keeps account of it.
func (c *chain) finish(w *work, panicked any, err error) error {
	var said error
	code, message, sent := codes.OK, "", 1
	if panicked != nil {
		err = c.fault(w, panicked)
	}
	if err != nil {
		sent = 0
		if found := c.failure(w, err); found != nil {
			code, message = found.Code(), found.Message
			c.denials.note(w.method.Name, w.principal, found.Reason, time.Now())
			said = status.FromProto(found.Status(w.requestID)).Err()
			if !w.reached {
				c.counts.refused.WithLabelValues(w.method.Name, found.Word()).Inc()
			}
		} else {
			code, said = status.Code(err), err
		}
	}
	c.admission.leave(w.method, &w.call, code == codes.OK || code == codes.DeadlineExceeded && w.reached)
	c.counts.end(w.method.Name, code, time.Since(w.begun), w.received, sent)
	if c.settings.AccessLog && !w.method.Housekeeping {
		c.logger(w).Info("call", "code", int(code), "message", message, "received", w.received, "sent", sent)
	}
	if w.span != nil {
		end(w.span, code, message, w.received, sent)
	}
	return said
}

func (c *chain) logger(w *work) *slog.Logger {
	return c.log.With("request_id", w.requestID, "trace_id", w.trace, "caller", w.principal, "method", w.method.Name)
}

// failure is what an error means for the caller; nil for a status that another has made already.
func (c *chain) failure(w *work, err error) *Failure {
	var found *Failure
	switch {
	case errors.As(err, &found):
		return found
	case errors.Is(err, context.DeadlineExceeded):
		return deadlineExceeded(w.method.Name, w.budget())
	case errors.Is(err, context.Canceled):
		return cancelled(w.method.Name)
	}
	if made, is := status.FromError(err); is {
		if made.Code() == codes.Unimplemented {
			return Unimplemented(w.method.Name, "")
		}
		return nil
	}
	c.counts.unexpected.Inc()
	c.logger(w).Error("the handler failed", "exception", err.Error())
	return internal(w.requestID)
}

// fault is a panic: of the runtime, or of an assertion, after which the process drains and is started anew.
func (c *chain) fault(w *work, panicked any) error {
	stack := string(debug.Stack())
	if _, is := panicked.(runtime.Error); is {
		c.counts.unexpected.Inc()
		c.logger(w).Error("the handler failed", "exception", fmt.Sprint(panicked, "\n", stack))
	} else {
		c.counts.broken.Inc()
		c.logger(w).Error("an invariant broke; draining", "exception", fmt.Sprint(panicked, "\n", stack))
		c.broken()
	}
	return internal(w.requestID)
}

// unknown answers paths that no method has.
func (c *chain) unknown(_ any, _ grpc.ServerStream) error {
	found := Unimplemented("this method", "")
	c.counts.refused.WithLabelValues("", found.Word()).Inc()
	return status.FromProto(found.Status("")).Err()
}
