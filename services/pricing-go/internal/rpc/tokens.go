package rpc

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"crossrate/pricing/internal/mesh"
)

const (
	fingerprintHeader = "x-crossrate-fingerprint"
	// skewSeconds is how far identity's clock and ours may be apart.
	skewSeconds = 5.0
	grantsMax   = 256
	timeMax     = 1 << 40
)

var (
	tokenID    = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._@+:/-]{0,127}$`)
	tokenGrant = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9/._-]{0,31}\*?|\*)$`)
	tokenDesk  = regexp.MustCompile(`^([a-z0-9][a-z0-9-]{0,31})?$`)
	allRoles   = map[string]bool{
		"viewer": true, "trader": true, "quant": true, "risk_officer": true, "operator": true, "auditor": true, "admin": true,
	}
)

// tokens reads clients from the payloads that the edge has verified, and checks once more what they say: that a token is of this
// mesh, of a kind that gives access (RFC 9068), in its time, and whole. The words are those of crossrate.rpc.tokens.
type tokens struct {
	terms  *mesh.AccessTokens
	issuer string
}

// problem is why a token is worth nothing, in words that hold nothing of it.
type problem string

func (p problem) Error() string { return string(p) }

// client is who a token is of. `now` is in seconds since 1970; the error is a problem.
func (t *tokens) client(payload, fingerprint string, now float64) (*client, error) {
	if t.terms == nil {
		return nil, problem("this mesh has no identity service")
	}
	claims, err := claimsOf(payload)
	if err != nil {
		return nil, problem("its claims cannot be read")
	}
	r := claimReader{claims: claims}
	if claims["iss"] != t.issuer {
		return nil, problem("iss is another issuer")
	}
	if !named(claims["aud"], t.terms.Audience) {
		return nil, problem("aud is another audience")
	}
	issued, begins, ends := r.time("iat"), r.time("nbf"), r.time("exp")
	if r.problem != "" {
		return nil, r.problem
	}
	if issued > now+skewSeconds || begins > now+skewSeconds {
		return nil, problem("its time has not come")
	}
	if ends-issued > t.terms.LifetimeSeconds {
		return nil, problem(fmt.Sprintf("it lives longer than %g s", t.terms.LifetimeSeconds))
	}
	subject, clientID, session, _ := r.id("sub"), r.id("client_id"), r.id("sid"), r.id("jti")
	if desk, is := claims["desk"].(string); (claims["desk"] != nil && !is) || !tokenDesk.MatchString(desk) {
		r.fail("desk is no desk")
	}
	found := &client{roles: map[string]bool{}, subject: subject, session: session, issued: issued}
	for _, role := range r.words("roles") {
		if allRoles[role] {
			found.roles[role] = true
		}
	}
	r.words("accounts")
	if claims["instruments"] != nil {
		r.words("instruments")
	}
	if claims["acr"] == "2" {
		found.factorTime = r.time("auth_time")
	}
	bound := r.boundTo()
	if r.problem != "" {
		return nil, r.problem
	}
	if now >= ends+skewSeconds {
		return nil, problem("it has expired")
	}
	if bound != "" && bound != fingerprint {
		return nil, problem("it is bound to another certificate")
	}
	kind := "user:"
	if clientID == subject {
		kind = "machine:"
	}
	found.principal = kind + subject
	return found, nil
}

// claimsOf is the object of a payload. A name that stands twice makes it none: who reads the first and who reads the last would see
// two tokens.
func claimsOf(payload string) (map[string]any, error) {
	if strings.ContainsAny(payload, "\r\n") {
		return nil, errors.New("a payload has one line")
	}
	raw, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(payload, "="))
	if err != nil {
		return nil, err
	}
	decoder := json.NewDecoder(bytes.NewReader(raw))
	value, err := unique(decoder, 0)
	if err != nil {
		return nil, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something follows the claims")
	}
	claims, is := value.(map[string]any)
	if !is {
		return nil, errors.New("the claims are no object")
	}
	return claims, nil
}

const depthMax = 64

func unique(decoder *json.Decoder, depth int) (any, error) {
	token, err := decoder.Token()
	if err != nil {
		return nil, err
	}
	delim, is := token.(json.Delim)
	if !is {
		return token, nil
	}
	if depth > depthMax {
		return nil, errors.New("the claims are nested too deeply")
	}
	object, list := map[string]any{}, []any{}
	for decoder.More() {
		name := ""
		if delim == '{' {
			key, err := decoder.Token()
			if err != nil {
				return nil, err
			}
			name = key.(string)
			if _, twice := object[name]; twice {
				return nil, errors.New("a name stands twice")
			}
		}
		value, err := unique(decoder, depth+1)
		if err != nil {
			return nil, err
		}
		object[name] = value
		list = append(list, value)
	}
	if _, err := decoder.Token(); err != nil {
		return nil, err
	}
	if delim == '{' {
		return object, nil
	}
	return list, nil
}

func named(claim any, audience string) bool {
	if several, is := claim.([]any); is {
		for _, each := range several {
			if each == audience {
				return true
			}
		}
		return false
	}
	return claim == audience
}

// claimReader reads claims of one form each and keeps the first problem.
type claimReader struct {
	claims  map[string]any
	problem problem
}

func (r *claimReader) fail(words string) {
	if r.problem == "" {
		r.problem = problem(words)
	}
}

func (r *claimReader) time(name string) float64 {
	value, is := r.claims[name].(float64)
	if !is || !(value >= 0 && value < timeMax) {
		r.fail(name + " is no time")
		return 0
	}
	return value
}

func (r *claimReader) id(name string) string {
	value, is := r.claims[name].(string)
	if !is || !tokenID.MatchString(value) {
		r.fail(name + " is no id")
	}
	return value
}

// words are a list of grants; "*" may stand for a list of itself.
func (r *claimReader) words(name string) []string {
	claim := r.claims[name]
	if claim == "*" {
		return []string{"*"}
	}
	several, is := claim.([]any)
	if !is || len(several) > grantsMax {
		r.fail(fmt.Sprintf("%s is no list of at most %d", name, grantsMax))
		return nil
	}
	found := make([]string, 0, len(several))
	for _, each := range several {
		word, is := each.(string)
		if !is || !tokenGrant.MatchString(word) {
			r.fail(name + " has an entry that is none")
			return nil
		}
		found = append(found, word)
	}
	return found
}

// boundTo is the certificate that a token is bound to (RFC 8705, section 3.1), in hexadecimal; "" for none.
func (r *claimReader) boundTo() string {
	confirmation, is := r.claims["cnf"].(map[string]any)
	if r.claims["cnf"] == nil {
		return ""
	}
	value, isText := confirmation["x5t#S256"].(string)
	digest, err := base64.RawURLEncoding.DecodeString(value)
	if !is || !isText || len(confirmation) != 1 || len(value) != 43 || err != nil {
		r.fail("cnf is no certificate's digest")
		return ""
	}
	return hex.EncodeToString(digest)
}
