package rpc

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"sync/atomic"
	"time"

	"buf.build/go/protovalidate"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"google.golang.org/grpc"
	healthgrpc "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
	reflectiongrpc "google.golang.org/grpc/reflection/grpc_reflection_v1"
	reflectionalphagrpc "google.golang.org/grpc/reflection/grpc_reflection_v1alpha"

	instancev1 "crossrate/pricing/internal/gen/instancev1"
	"crossrate/pricing/internal/mesh"
)

const (
	metricsPortFirst, metricsPortLast = 28_000, 32_767
	metricsTries                      = 200
	lastGrace                         = 500 * time.Millisecond
	bytesMax                          = 16 << 20
)

// Server serves one instance. Start and end, in order:
//
//	listens on its Unix socket -> SERVING -> registered -> ... serves ... -> told to stop
//	-> NOT_SERVING, registration withdrawn -> settles, still serving -> calls in flight finish -> stops listening
type Server struct {
	settings  mesh.Settings
	log       *slog.Logger
	admission *admission
	counts    *counts
	chain     *chain
	health    *healthServer
	grpc      *grpc.Server
	services  []string
	// follower is nil in a mesh without tokens.
	follower *follower
	// teller is nil in a mesh without a stream for it.
	teller *teller
	ready  atomic.Value
	broke  chan struct{}
}

// NewServer makes a server with health, reflection and InstanceService.
func NewServer(settings mesh.Settings, topology *mesh.Topology, log *slog.Logger) (*Server, error) {
	validator, err := protovalidate.New()
	if err != nil {
		return nil, err
	}
	s := &Server{settings: settings, log: log, counts: newCounts(), health: newHealth(), broke: make(chan struct{}, 1)}
	kept := newRevocations()
	if topology.Tokens != nil && topology.Streams[identityStream].Owner != "" {
		s.follower = newFollower(settings, log, kept)
	}
	refused := newDenials()
	if topology.Streams[denialsStream].Owner != "" {
		s.teller = newTeller(settings, log, refused)
	}
	concurrencyMax := topology.Services[settings.Service].ConcurrencyMax
	s.admission = newAdmission(topology, concurrencyMax, settings.Issuer(topology), kept)
	traces, err := newTracing(context.Background(), settings)
	if err != nil {
		return nil, err
	}
	s.chain = &chain{settings, log, s.admission, s.counts, refused, validator, traces, s.broken}
	s.grpc = grpc.NewServer(
		grpc.ForceServerCodecV2(newCodec()), grpc.MaxRecvMsgSize(bytesMax), grpc.UnknownServiceHandler(s.chain.unknown),
	)
	offered := reflection.NewServerV1(reflection.ServerOptions{Services: s})
	offeredAlpha := reflection.NewServer(reflection.ServerOptions{Services: s})
	for _, each := range []struct {
		desc grpc.ServiceDesc
		impl any
	}{
		{healthgrpc.Health_ServiceDesc, s.health},
		{instancev1.InstanceService_ServiceDesc, &instance{server: s}},
		{reflectiongrpc.ServerReflection_ServiceDesc, offered},
		{reflectionalphagrpc.ServerReflection_ServiceDesc, offeredAlpha},
	} {
		if err := s.Add(each.desc, each.impl); err != nil {
			return nil, err
		}
	}
	return s, nil
}

// GetServiceInfo is what reflection lists.
func (s *Server) GetServiceInfo() map[string]grpc.ServiceInfo { return s.grpc.GetServiceInfo() }

// Add adds a service: every method of it gets the chain around it. A method that is not in the contracts is an error.
func (s *Server) Add(desc grpc.ServiceDesc, impl any) error {
	wrapped, err := s.chain.wrap(desc)
	if err != nil {
		return err
	}
	s.grpc.RegisterService(wrapped, impl)
	s.services = append(s.services, desc.ServiceName)
	return nil
}

func (s *Server) broken() {
	select {
	case s.broke <- struct{}{}:
	default:
	}
}

// Serve serves until the context ends, then drains. It returns whether an invariant broke.
func (s *Server) Serve(ctx context.Context) (broken bool, err error) {
	listener, err := s.settings.Listen()
	if err != nil {
		return false, err
	}
	port, stopMetrics, err := s.metrics()
	if err != nil {
		return false, err
	}
	defer stopMetrics()
	following, stopFollowing := context.WithCancel(context.Background())
	defer stopFollowing()
	if s.follower != nil {
		go s.follower.run(following)
	}
	defer s.tell()()
	served := make(chan error, 1)
	go func() { served <- s.grpc.Serve(listener) }()
	for _, service := range append(s.services, "") {
		s.health.SetServingStatus(service, healthgrpc.HealthCheckResponse_SERVING)
	}
	ready := time.Now().UTC().Truncate(time.Microsecond)
	s.ready.Store(ready)
	defer s.settings.Withdraw()
	if err := s.settings.Register(port, ready); err != nil {
		return false, err
	}
	s.log.Info("ready", "socket", s.settings.Socket(), "metrics_port", port, "transport", "grpc-go")
	select {
	case <-ctx.Done():
	case <-s.broke:
		broken = true
	case err := <-served:
		return false, fmt.Errorf("the server stopped: %w", err)
	}
	s.drain()
	s.chain.tracing.stop()
	_ = os.Remove(s.settings.Socket())
	return broken, nil
}

// tell begins to tell of refused calls, if this mesh has a stream for them; what it returns ends it, the last ones told.
func (s *Server) tell() (stop func()) {
	if s.teller == nil {
		return func() {}
	}
	telling, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() { s.teller.run(telling); close(over) }()
	return func() { cancel(); <-over }
}

func (s *Server) drain() {
	began := time.Now()
	s.health.Shutdown()
	s.settings.Withdraw()
	s.log.Info("draining", "in_flight", s.admission.inFlight())
	time.Sleep(s.settings.Settle)
	left := s.admission.drained(s.settings.Grace)
	close(s.health.over)
	stopped := make(chan struct{})
	go func() { s.grpc.GracefulStop(); close(stopped) }()
	select {
	case <-stopped:
	case <-time.After(lastGrace):
		s.grpc.Stop()
	}
	s.log.Info("drained", "cut_off", left, "drained_s", time.Since(began).Seconds())
}

// metrics serves GET /metrics on loopback and returns its port.
func (s *Server) metrics() (port int, stop func(), err error) {
	for range metricsTries {
		port = metricsPortFirst + rand.IntN(metricsPortLast-metricsPortFirst+1)
		listener, listening := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if listening != nil {
			continue
		}
		process := prometheus.NewRegistry()
		process.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
		mux := http.NewServeMux()
		every := prometheus.Gatherers{s.counts.registry, process}
		mux.Handle("GET /metrics", promhttp.HandlerFor(every, promhttp.HandlerOpts{MaxRequestsInFlight: 16}))
		server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
		go func() { _ = server.Serve(listener) }()
		return port, func() { _ = server.Close() }, nil
	}
	return 0, nil, fmt.Errorf("no free port for metrics in %d to %d after %d tries", metricsPortFirst, metricsPortLast, metricsTries)
}
