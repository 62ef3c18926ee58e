// Command pricing is a version of the service pricing that prices exchanges of two currencies: the assembly, top to bottom.
package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	pricingv1 "crossrate/pricing/internal/gen/pricingv1"
	"crossrate/pricing/internal/mesh"
	"crossrate/pricing/internal/rpc"
	"crossrate/pricing/internal/service"
)

const (
	version             = "0.1.0-go"
	exitFailed          = 1
	exitInvariantBroken = 70
)

func main() {
	code, err := run()
	if err != nil {
		fmt.Fprintln(os.Stderr, "The process cannot start:", err)
	}
	os.Exit(code)
}

func run() (code int, err error) {
	settings, err := mesh.ReadSettings(version, mesh.Environment)
	if err != nil {
		return exitFailed, err
	}
	topology, err := mesh.ReadTopology(settings.Topology, settings.Service)
	if err != nil {
		return exitFailed, err
	}
	log := settings.Logger(os.Stderr)
	log.Info("starting", "version", settings.Version, "pid", os.Getpid())
	stopping, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	server, err := rpc.NewServer(settings, topology, log)
	if err != nil {
		return exitFailed, err
	}
	library, closeLibrary, err := openLibrary(settings)
	if err != nil {
		return exitFailed, err
	}
	defer closeLibrary()
	prices := &service.Prices{Library: library, Now: func() time.Time { return time.Now().UTC() }}
	// What this version does not offer is served all the same: as UNIMPLEMENTED, for callers who may call it.
	for _, add := range []error{
		server.Add(pricingv1.PricingService_ServiceDesc, prices),
		server.Add(pricingv1.SnapshotService_ServiceDesc, pricingv1.UnimplementedSnapshotServiceServer{}),
		server.Add(pricingv1.QuotingService_ServiceDesc, pricingv1.UnimplementedQuotingServiceServer{}),
		server.Add(pricingv1.PriceStreamService_ServiceDesc, pricingv1.UnimplementedPriceStreamServiceServer{}),
	} {
		if add != nil {
			return exitFailed, add
		}
	}
	broken, err := server.Serve(stopping)
	if broken {
		code = exitInvariantBroken
	} else if err != nil {
		code = exitFailed
	}
	log.Info("stopped", "exit_code", code)
	return code, err
}

// openLibrary is the library on the service's schema, if it has one. It is no dependency of health: without it, markets that requests
// give and snapshots in memory are priced.
func openLibrary(settings mesh.Settings) (service.Library, func(), error) {
	dsn, err := settings.DSN()
	if dsn == "" && (err == nil || errors.Is(err, fs.ErrNotExist)) {
		return service.Nothing{}, func() {}, nil
	}
	if err != nil {
		return nil, nil, err
	}
	kept, err := service.OpenKept(context.Background(), dsn, settings.Instance)
	if err != nil {
		return nil, nil, fmt.Errorf("the credentials %s are none: %w", settings.Credentials(), err)
	}
	return kept, kept.Close, nil
}
