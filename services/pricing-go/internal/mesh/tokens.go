package mesh

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// AccessTokens are the terms of the tokens that the edge believes; the defaults are those of crossrate.runtime.topology.
type AccessTokens struct {
	Service         string  `toml:"service"`
	Issuer          string  `toml:"issuer"`
	Audience        string  `toml:"audience"`
	LifetimeSeconds float64 `toml:"token_lifetime_s"`
	StepUpSeconds   float64 `toml:"step_up_max_age_s"`
}

const (
	identity        = "identity"
	edgePortDefault = 8443
)

func (t *Topology) complete() {
	if t.Edge.Port == 0 {
		t.Edge.Port = edgePortDefault
	}
	// A mesh with the identity service believes its tokens, also where nothing is said about them.
	if _, issues := t.Services[identity]; t.Tokens == nil && issues {
		t.Tokens = &AccessTokens{}
	}
	if t.Tokens == nil {
		return
	}
	for field, fallback := range map[*string]string{&t.Tokens.Service: identity, &t.Tokens.Audience: "crossrate"} {
		if *field == "" {
			*field = fallback
		}
	}
	for field, fallback := range map[*float64]float64{&t.Tokens.LifetimeSeconds: 300, &t.Tokens.StepUpSeconds: 600} {
		if *field == 0 {
			*field = fallback
		}
	}
}

// Issuer is what tokens name as `iss`: what the topology says, or the address at which clients of this machine reach the edge.
func (s Settings) Issuer(topology *Topology) string {
	if topology.Tokens == nil {
		return ""
	}
	if topology.Tokens.Issuer != "" {
		return topology.Tokens.Issuer
	}
	port := topology.Edge.Port
	if content, err := os.ReadFile(filepath.Clean(filepath.Join(s.Run, "ports.json"))); err == nil {
		var ports struct {
			Edge int `json:"edge"`
		}
		if json.Unmarshal(content, &ports) == nil && ports.Edge != 0 {
			port = ports.Edge
		}
	}
	return fmt.Sprintf("https://localhost:%d", port)
}

// NATS is the service's way to NATS.
type NATS struct {
	URL         string `json:"url"`
	Seed        string `json:"seed"`
	InboxPrefix string `json:"inbox_prefix"`
}

// NATS reads the service's credentials for it; nil if it has none.
func (s Settings) NATS() (*NATS, error) {
	content, err := os.ReadFile(filepath.Clean(s.Credentials()))
	if err != nil {
		return nil, err
	}
	var found struct {
		NATS *NATS `json:"nats"`
	}
	if err := json.Unmarshal(content, &found); err != nil {
		return nil, err
	}
	return found.NATS, nil
}
