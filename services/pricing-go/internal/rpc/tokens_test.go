package rpc

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"math"
	"strings"
	"testing"

	"crossrate/pricing/internal/mesh"
)

func claims(changes map[string]any) string {
	all := map[string]any{
		"iss": "https://localhost:8443", "aud": "crossrate", "sub": "u-1", "client_id": "cli", "iat": 1000, "nbf": 1000,
		"exp": 1300, "jti": "j", "sid": "s-1", "roles": []string{"quant"}, "accounts": []string{"*"}, "acr": "2", "auth_time": 990,
	}
	maps.Copy(all, changes)
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

func reading() *tokens {
	terms := &mesh.AccessTokens{Audience: "crossrate", LifetimeSeconds: 300, StepUpSeconds: 600}
	return &tokens{terms, "https://localhost:8443"}
}

// A token is good from its time to its end and five seconds on, and is its subject's.
func TestATokenIsRead(t *testing.T) {
	for now, good := range map[float64]bool{994: false, 996: true, 1304: true, 1306: false} {
		found, err := reading().client(claims(nil), "", now)
		if (err == nil) != good {
			t.Errorf("at %v it is %v", now, err)
		}
		if err == nil && (found.String() != "user:u-1" || !found.roles["quant"] || found.session != "s-1" || found.factorTime != 990) {
			t.Errorf("it is read as %+v", found)
		}
	}
	machine, err := reading().client(claims(map[string]any{"client_id": "u-1"}), "", 1000)
	if err != nil || machine.String() != "machine:u-1" {
		t.Errorf("a program is %v, %v", machine, err)
	}
}

// Names that stand twice, what follows the claims, and what is nested without end are no claims.
func TestClaimsAreWhole(t *testing.T) {
	for _, raw := range []string{
		`{"iss":"a","iss":"b"}`, `{"a":{"b":1,"b":2}}`, `{} {}`, `[]`, `7`, ``, `{"a":`, strings.Repeat("[", 5000) + strings.Repeat("]", 5000),
	} {
		if _, err := claimsOf(base64.RawURLEncoding.EncodeToString([]byte(raw))); err == nil {
			t.Errorf("%.20q was read", raw)
		}
	}
}

// A session that was ended, and tokens that do not know a change of grants, are hit; others are not; what no token can know is forgotten.
func TestRevocations(t *testing.T) {
	kept := newRevocations()
	kept.endSession("s-1", 1000)
	kept.changeGrants("u-2", 1000)
	for _, each := range []struct {
		client client
		hit    bool
	}{
		{client{session: "s-1", subject: "u-1"}, true},
		{client{session: "s-2", subject: "u-2", issued: 1000}, true},
		{client{session: "s-2", subject: "u-2", issued: 1001}, false},
		{client{session: "s-3", subject: "u-3"}, false},
	} {
		if got := kept.hit(&each.client); got != each.hit {
			t.Errorf("%+v: %v", each.client, got)
		}
	}
	for i := range 2 * sweepMin {
		kept.endSession(strings.Repeat("x", i+1), 5000)
	}
	if kept.hit(&client{session: "s-1"}) {
		t.Error("what no token can know any more is kept")
	}
}

// A factor that was proved too long ago, or never, is asked for; a key that counts as one is good for ever.
func TestFactors(t *testing.T) {
	known := &clients{stepUpMaxAge: 600}
	for at, good := range map[float64]bool{0: false, 1000: true, 399: false, math.Inf(1): true} {
		if err := known.checkFactor(&client{factorTime: at}, "m", 1000); (err == nil) != good {
			t.Errorf("of %v: %v", at, err)
		}
	}
}
