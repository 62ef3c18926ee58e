package rpc

import (
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
)

// Only a list that is one from its first to its last character proves somebody, and one identity of this mesh.
func TestCallers(t *testing.T) {
	for header, want := range map[string]string{
		"URI=spiffe://crossrate/trading":                              "trading",
		`By=spiffe://crossrate/pricing;URI="spiffe://crossrate/risk"`: "risk",
		"URI=spiffe://crossrate/a,URI=spiffe://crossrate/b":           "b",
		"URI=spiffe://crossrate/a;URI=spiffe://crossrate/b":           "",
		"URI=spiffe://elsewhere/a":                                    "",
		`URI="spiffe://crossrate/a`:                                   "",
		"URI=spiffe://crossrate/local":                                "",
		"":                                                            "",
	} {
		if got := caller([]string{header}, "crossrate"); got != want {
			t.Errorf("%q is %q, not %q", header, got, want)
		}
	}
	if got := caller(nil, "crossrate"); got != local {
		t.Errorf("no header is %q", got)
	}
}

// A status finds room in a header: violations are left out from the end, and counted.
func TestAStatusIsBounded(t *testing.T) {
	var many []Violation
	for range 200 {
		many = append(many, Violation{strings.Repeat("f", 300), strings.Repeat("d", 2000), "rule"})
	}
	if size := proto.Size(Invalid(many...).Status("an-id")); size > statusBytesMax {
		t.Errorf("it has %d bytes", size)
	}
}

// Numbers of many digits become powers of ten where that says the same.
func TestNumbersAreShort(t *testing.T) {
	for said, want := range map[string]string{
		"must be at most 1000000000000000":    "must be at most 1e15",
		"must be at most 1000000000000001":    "must be at most 1000000000000001",
		"must be above 0.000000001 and not 5": "must be above 1e-9 and not 5",
		"must match v1000000000000":           "must match v1000000000000",
	} {
		if got := shortNumbers(said); got != want {
			t.Errorf("%q became %q", said, got)
		}
	}
}

// A margin is kept back; a call with less time than such calls take is refused, and refusals bring the estimate down.
func TestDeadlines(t *testing.T) {
	if got := shave(time.Second, false); got != 980*time.Millisecond {
		t.Errorf("of a second %v are left", got)
	}
	if got := shave(100*time.Millisecond, false); got != 90*time.Millisecond {
		t.Errorf("of 100 ms %v are left", got)
	}
	needed := neededFor(2 * time.Second)
	for range 100 {
		needed.took(100 * time.Millisecond)
	}
	refused := 0
	for ; refused < 1000; refused++ {
		if enough, _ := needed.enough(20 * time.Millisecond); enough {
			break
		}
	}
	if refused == 0 || refused == 1000 {
		t.Errorf("%d calls were refused", refused)
	}
}

// A trace is taken from a header that is one, and made otherwise; a request id likewise.
func TestIds(t *testing.T) {
	trace := strings.Repeat("a", 32)
	if got := traceID([]string{"00-" + trace + "-" + strings.Repeat("b", 16) + "-01"}); got != trace {
		t.Errorf("the trace is %s", got)
	}
	if got := traceID([]string{"00-" + strings.Repeat("0", 32) + "-" + strings.Repeat("b", 16) + "-01"}); got == strings.Repeat("0", 32) {
		t.Errorf("the trace is %s", got)
	}
	if got := requestID([]string{"mine"}); got != "mine" {
		t.Errorf("the id is %s", got)
	}
	if got := requestID(nil); len(got) != 36 || got[14] != '7' || requestID([]string{"a\nb"}) == "a\nb" {
		t.Errorf("the id is %s", got)
	}
}
