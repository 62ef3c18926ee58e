package rpc

import (
	"fmt"
	"strings"
	"testing"
	"time"

	commonv1 "crossrate/pricing/internal/gen/commonv1"
)

// Calls are counted by method, caller and reason; what is refused for another reason is not.
func TestDenialsAreCounted(t *testing.T) {
	counted, at := newDenials(), time.Unix(1_700_000_000, 5)
	for n := range 3 {
		counted.note("S/M", "edge", commonv1.ErrorReason_ERROR_REASON_TOKEN_REFUSED, at.Add(time.Duration(n)*time.Second))
	}
	counted.note("S/M", "edge", commonv1.ErrorReason_ERROR_REASON_TOO_MANY_REQUESTS, at)
	facts := counted.take()
	if len(facts) != 1 || facts[0].GetCount() != 3 || facts[0].GetReason() != "TOKEN_REFUSED" || facts[0].GetActor() != "edge" {
		t.Fatalf("it is %v", facts)
	}
	if !facts[0].GetFirstTime().AsTime().Equal(at) || !facts[0].GetLastTime().AsTime().Equal(at.Add(2*time.Second)) {
		t.Errorf("from %v to %v", facts[0].GetFirstTime(), facts[0].GetLastTime())
	}
	if left := counted.take(); len(left) != 0 {
		t.Errorf("left are %v", left)
	}
}

// A flood of callers becomes a bounded number of counts, and names are cut.
func TestAFloodOfDenialsIsBounded(t *testing.T) {
	counted, calls := newDenials(), uint64(0)
	for n := range 10_000 {
		counted.note("S/M", fmt.Sprint(n, strings.Repeat("x", 500)), commonv1.ErrorReason_ERROR_REASON_CALLER_NOT_ALLOWED, time.Now())
	}
	facts := counted.take()
	for _, fact := range facts {
		calls += fact.GetCount()
		if len(fact.GetActor()) > actorCharsMax {
			t.Errorf("a name of %d", len(fact.GetActor()))
		}
	}
	if len(facts) != kindsMax+1 || calls != 10_000 {
		t.Errorf("%d facts of %d calls", len(facts), calls)
	}
}
