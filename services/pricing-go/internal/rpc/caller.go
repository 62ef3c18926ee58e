package rpc

import (
	"math"
	"regexp"
	"strings"

	"crossrate/pricing/internal/mesh"
)

const (
	// local is the owner of the run folder, who alone can open the socket without a proxy; it may call everything.
	local = "local"
	// edge is the edge proxy, on behalf of a client outside of the mesh.
	edge = "edge"

	peerHeader   = "x-forwarded-client-cert"
	clientHeader = "x-crossrate-client"
	tokenHeader  = "x-crossrate-token"
)

var (
	pair = regexp.MustCompile(`^([A-Za-z]+)=("(?:[^"\\]|\\.)*"|[^;,"]*)(;|,|$)`)
	word = regexp.MustCompile(`^[a-z]+$`)
)

// caller is the word of who proved itself to the inbound listener: local without the header, "" if it proves nobody. The header
// has one element for each proxy on the way, the nearest last; what is not such a list from end to end proves nobody.
func caller(headers []string, trustDomain string) string {
	if len(headers) == 0 {
		return local
	}
	header := strings.Join(headers, ",")
	var identities []string
	for header != "" {
		found := pair.FindStringSubmatch(header)
		if found == nil {
			return ""
		}
		if strings.EqualFold(found[1], "uri") {
			identities = append(identities, strings.Trim(found[2], `"`))
		}
		header = header[len(found[0]):]
		if found[3] == "," && header != "" {
			identities = nil
		}
	}
	prefix := "spiffe://" + trustDomain + "/"
	if len(identities) != 1 || !strings.HasPrefix(identities[0], prefix) {
		return ""
	}
	name := strings.TrimPrefix(identities[0], prefix)
	if !word.MatchString(name) || name == local {
		return ""
	}
	return name
}

// client is who calls through the edge.
type client struct {
	name  string
	roles map[string]bool
	// factorTime is when a second factor was last proved, seconds since 1970; infinite for a key that counts as one, 0 for none.
	factorTime float64
	// Of a token: who is answerable, what revocations name, and when it was issued.
	principal, subject, session string
	issued                      float64
}

func (c *client) String() string {
	if c.principal != "" {
		return c.principal
	}
	if c.name == "" {
		return "anonymous"
	}
	return "client:" + c.name
}

// clients knows who calls through the edge: clients of the topology by the certificate that the edge saw, others by their token.
type clients struct {
	anonymous    *client
	known        map[string]*client
	tokens       *tokens
	revocations  *revocations
	stepUpMaxAge float64
}

func clientsOf(topology *mesh.Topology, issuer string, kept *revocations) *clients {
	everybody := func(more []string) map[string]bool {
		roles := map[string]bool{}
		for _, role := range append(append([]string{}, topology.Edge.AnonymousRoles...), more...) {
			roles[role] = true
		}
		return roles
	}
	found := &clients{
		anonymous: &client{roles: everybody(nil)}, known: map[string]*client{},
		tokens: &tokens{topology.Tokens, issuer}, revocations: kept,
	}
	if topology.Tokens != nil {
		found.stepUpMaxAge = topology.Tokens.StepUpSeconds
	}
	for name, each := range topology.Clients {
		made := &client{name: name, roles: everybody(each.Roles)}
		if each.StepUp {
			made.factorTime = math.Inf(1)
		}
		found.known[topology.ClientIdentity(name)] = made
	}
	return found
}

// of is the client that the edge tells of. A token decides alone: a certificate beside it only proves that the token is its owner's.
func (c *clients) of(headers func(string) []string, method string, now float64) (*client, error) {
	if payload := headers(tokenHeader); len(payload) > 0 {
		fingerprint := headers(fingerprintHeader)
		found, err := c.tokens.client(strings.Join(payload, ","), strings.Join(fingerprint, ","), now)
		if err != nil {
			return nil, tokenRefused(method, err.Error())
		}
		if !c.revocations.known() {
			return nil, DependencyUnavailable("identity's revocations")
		}
		if c.revocations.hit(found) {
			return nil, sessionRevoked(method)
		}
		return found, nil
	}
	certificate := headers(clientHeader)
	if len(certificate) == 0 {
		return c.anonymous, nil
	}
	if found := c.known[certificate[0]]; found != nil && len(certificate) == 1 {
		return found, nil
	}
	return nil, callerNotAllowed(method, strings.Join(certificate, ","))
}

// checkFactor refuses a client that has not proved a second factor lately.
func (c *clients) checkFactor(found *client, method string, now float64) error {
	if now-found.factorTime > c.stepUpMaxAge {
		return stepUpRequired(method, c.stepUpMaxAge)
	}
	return nil
}

// allowedCallers are the local operator, the edge if some role may, and each service that both the method's policy and the
// topology let call it.
func allowedCallers(contract *Contract, topology *mesh.Topology) map[string]bool {
	callers := map[string]bool{local: true}
	if len(contract.Roles) > 0 {
		callers[edge] = true
	}
	for name, service := range topology.Services {
		for _, called := range service.Calls {
			if contract.Services[name] && called == contract.Workload {
				callers[name] = true
			}
		}
	}
	return callers
}

func share(one, other map[string]bool) bool {
	for key := range one {
		if other[key] {
			return true
		}
	}
	return false
}
