package mesh

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/BurntSushi/toml"
)

// Topology is what a server needs of mesh/topology.toml: who calls whom, and what clients of the edge may do. The file is
// checked as a whole by crossrate.runtime.topology, which control and the node read it with.
type Topology struct {
	TrustDomain string             `toml:"trust_domain"`
	Edge        Edge               `toml:"edge"`
	Services    map[string]Service `toml:"services"`
	Clients     map[string]Client  `toml:"clients"`
	Tokens      *AccessTokens      `toml:"tokens"`
	Streams     map[string]Stream  `toml:"streams"`
}

// Edge is the one door.
type Edge struct {
	AnonymousRoles []string `toml:"anonymous_roles"`
	Port           int      `toml:"port"`
}

// Service is one service.
type Service struct {
	Calls          []string `toml:"calls"`
	ConcurrencyMax int      `toml:"concurrency_max"`
}

// Stream is a stream of facts.
type Stream struct {
	Owner string `toml:"owner"`
}

// Client proves itself to the edge by a certificate.
type Client struct {
	Roles    []string `toml:"roles"`
	Accounts []string `toml:"accounts"`
	StepUp   bool     `toml:"step_up"`
}

const concurrencyMaxDefault = 256

// ReadTopology reads the file.
func ReadTopology(path, service string) (*Topology, error) {
	found := &Topology{TrustDomain: "crossrate"}
	if _, err := toml.DecodeFile(path, found); err != nil {
		return nil, fmt.Errorf("the topology %s cannot be read: %w", path, err)
	}
	found.complete()
	own, known := found.Services[service]
	if !known {
		return nil, fmt.Errorf("the topology %s has no service %q", path, service)
	}
	if own.ConcurrencyMax == 0 {
		own.ConcurrencyMax = concurrencyMaxDefault
		found.Services[service] = own
	}
	return found, nil
}

// ClientIdentity is the SPIFFE id of a client of the edge.
func (t *Topology) ClientIdentity(client string) string {
	return fmt.Sprintf("spiffe://%s/client/%s", t.TrustDomain, client)
}

// DSN is the service's way to its schema; "" if it has none.
func (s Settings) DSN() (string, error) {
	content, err := os.ReadFile(filepath.Clean(s.Credentials()))
	if err != nil {
		return "", err
	}
	var found struct {
		Postgres *struct{ DSN string } `json:"postgres"`
	}
	if err := json.Unmarshal(content, &found); err != nil || found.Postgres == nil {
		return "", err
	}
	return found.Postgres.DSN, nil
}
