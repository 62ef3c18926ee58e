// Package mesh is what a process owes the mesh around its work: settings by environment, folders, topology, registration, logs.
package mesh

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Settings are read once at start, from the environment as CROSSRATE_<FIELD>; the names and the defaults are those of
// crossrate.runtime.process.
type Settings struct {
	Service, Instance, Backend string
	Topology                   string
	LogLevel                   string
	Version                    string
	AccessLog                  bool
	// OTLPEndpoint is where traces go; empty: nowhere. TraceRatio is the share of calls without a trace that begin one.
	OTLPEndpoint string
	TraceRatio   float64
	// Settle is the time between an instance's withdrawal and its end: every proxy has noticed by then.
	Settle time.Duration
	// Grace is the longest time that calls in flight get to finish after that.
	Grace time.Duration
	// Denials is the time between two tellings of refused calls.
	Denials time.Duration
	// Run is the folder of sockets and registrations, State that of keys and credentials.
	Run, State string
}

const denialsMin = 50 * time.Millisecond

var (
	serviceName  = regexp.MustCompile(`^[a-z]+$`)
	instanceName = regexp.MustCompile(`^[a-z]+(-[a-z]+)?-[0-9]+$`)
	levels       = regexp.MustCompile(`^(?i:debug|info|warning|error|critical)$`)
)

// ReadSettings reads the environment; the error names every variable that is wrong.
func ReadSettings(version string, environment func(string) string) (Settings, error) {
	r := reader{environment: environment}
	s := Settings{
		Service:   r.text("SERVICE", "", serviceName),
		LogLevel:  r.text("LOG_LEVEL", "INFO", levels),
		Topology:  r.text("TOPOLOGY", filepath.Join("mesh", "topology.toml"), nil),
		State:     r.text("STATE", "", nil),
		Run:       r.text("RUN", "", nil),
		Version:   r.text("VERSION", version, nil),
		AccessLog: r.flag("ACCESS_LOG"),
		Settle:    r.seconds("SETTLE_S", 0.3, 60),
		Grace:     r.seconds("GRACE_S", 10, 600),
		Denials:   r.seconds("DENIALS_S", 60, 3600),

		OTLPEndpoint: r.text("OTLP_ENDPOINT", "", nil),
		TraceRatio:   r.number("TRACE_RATIO", 0.01, 1),
	}
	s.Instance = r.text("INSTANCE", s.Service+"-1", instanceName)
	s.Backend = r.text("BACKEND", s.Service, nil)
	if s.Backend != s.Service && !strings.HasPrefix(s.Backend, s.Service+"-") {
		r.wrong("BACKEND", fmt.Sprintf("%q is no backend of %s", s.Backend, s.Service))
	}
	if s.Denials < denialsMin {
		r.wrong("DENIALS_S", fmt.Sprintf("must be at least %g", denialsMin.Seconds()))
	}
	for name, folder := range map[string]string{"STATE": s.State, "RUN": s.Run} {
		if !filepath.IsAbs(folder) {
			r.wrong(name, "must be the absolute path of a folder")
		}
	}
	if len(r.problems) > 0 {
		return s, fmt.Errorf("%s", strings.Join(r.problems, "; "))
	}
	return s, nil
}

type reader struct {
	environment func(string) string
	problems    []string
}

func (r *reader) wrong(name, why string) {
	r.problems = append(r.problems, "CROSSRATE_"+name+": "+why)
}

func (r *reader) text(name, fallback string, pattern *regexp.Regexp) string {
	value := r.environment("CROSSRATE_" + name)
	if value == "" {
		value = fallback
	}
	if pattern != nil && !pattern.MatchString(value) {
		r.wrong(name, fmt.Sprintf("%q does not match %s", value, pattern))
	}
	return value
}

func (r *reader) flag(name string) bool {
	switch value := r.environment("CROSSRATE_" + name); strings.ToLower(value) {
	case "", "0", "false", "no", "off", "f", "n":
		return false
	case "1", "true", "yes", "on", "t", "y":
		return true
	default:
		r.wrong(name, fmt.Sprintf("%q is neither true nor false", value))
		return false
	}
}

func (r *reader) seconds(name string, fallback, most float64) time.Duration {
	return time.Duration(r.number(name, fallback, most) * float64(time.Second))
}

func (r *reader) number(name string, fallback, most float64) float64 {
	text := r.environment("CROSSRATE_" + name)
	if text == "" {
		return fallback
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || !(value >= 0 && value <= most) {
		r.wrong(name, fmt.Sprintf("%q is not from 0 to %g", text, most))
		return fallback
	}
	return value
}

// Environment is the process's own.
func Environment(name string) string { return os.Getenv(name) }

// Socket is where the instance serves gRPC to its proxy.
func (s Settings) Socket() string { return filepath.Join(s.Run, "s", s.Instance+".sock") }

// Registration is the file by which the instance makes itself known.
func (s Settings) Registration() string { return filepath.Join(s.Run, "instances", s.Instance+".json") }

// Credentials is the file with the service's credentials for NATS and PostgreSQL.
func (s Settings) Credentials() string {
	return filepath.Join(s.State, "credentials", s.Service+".json")
}
