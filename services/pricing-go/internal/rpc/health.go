package rpc

import (
	"context"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
)

const watchersMax = 256

// healthServer says for each service, and for "", whether the instance can do its work. It needs nothing that could be
// away: markets that requests give are priced while the database is.
type healthServer struct {
	*health.Server
	mutex    sync.Mutex
	watchers int
	over     chan struct{}
}

func newHealth() *healthServer {
	found := &healthServer{Server: health.NewServer(), over: make(chan struct{})}
	found.SetServingStatus("", healthgrpc.HealthCheckResponse_NOT_SERVING)
	return found
}

// Check is the state of a service, or NOT_FOUND.
func (h *healthServer) Check(ctx context.Context, request *healthgrpc.HealthCheckRequest) (*healthgrpc.HealthCheckResponse, error) {
	answer, err := h.Server.Check(ctx, request)
	if err != nil {
		return nil, NotFound("service", request.GetService(), "")
	}
	return answer, nil
}

// Watch is the state of a service now and whenever it changes, until the instance has drained.
func (h *healthServer) Watch(request *healthgrpc.HealthCheckRequest, stream grpc.ServerStreamingServer[healthgrpc.HealthCheckResponse]) error {
	h.mutex.Lock()
	if h.watchers >= watchersMax {
		h.mutex.Unlock()
		return tooManyRequests(watchersMax, retryAfter)
	}
	h.watchers++
	h.mutex.Unlock()
	defer func() {
		h.mutex.Lock()
		h.watchers--
		h.mutex.Unlock()
	}()
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- h.Server.Watch(request, watched{stream, ctx}) }()
	select {
	case err := <-ended:
		return err
	case <-h.over:
		cancel()
		<-ended
		return nil
	}
}

// watched is a stream that ends with a context of ours.
type watched struct {
	grpc.ServerStreamingServer[healthgrpc.HealthCheckResponse]
	ctx context.Context
}

// Context is the one that ends.
func (w watched) Context() context.Context { return w.ctx }
