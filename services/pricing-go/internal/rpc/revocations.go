package rpc

import (
	"sync"
)

const (
	// keepSeconds is how long a revocation is kept: twice the longest life that a token may have.
	keepSeconds = 600.0
	// sweepMin is how many entries there are before those that no token can know any more are looked for.
	sweepMin = 1024
)

// revocations are what identity has revoked within a token's life. Times are seconds since 1970. Before they are complete no token
// is believed.
type revocations struct {
	mutex              sync.RWMutex
	sessions, subjects map[string]float64
	sweepAt            int
	complete           bool
}

func newRevocations() *revocations {
	return &revocations{sessions: map[string]float64{}, subjects: map[string]float64{}, sweepAt: sweepMin}
}

// endSession says that a session was ended.
func (r *revocations) endSession(session string, at float64) { r.note(r.sessions, session, at) }

// changeGrants says that tokens of a subject that were issued at that time or before say what holds no more.
func (r *revocations) changeGrants(subject string, at float64) { r.note(r.subjects, subject, at) }

func (r *revocations) note(kept map[string]float64, key string, at float64) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	kept[key] = max(at, kept[key])
	if len(r.sessions)+len(r.subjects) < r.sweepAt {
		return
	}
	for _, each := range []map[string]float64{r.sessions, r.subjects} {
		for old, noted := range each {
			if noted+keepSeconds < at {
				delete(each, old)
			}
		}
	}
	r.sweepAt = max(sweepMin, 2*(len(r.sessions)+len(r.subjects)))
}

func (r *revocations) finish() {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.complete = true
}

func (r *revocations) known() bool {
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	return r.complete
}

// hit says whether a client's token was revoked.
func (r *revocations) hit(c *client) bool {
	r.mutex.RLock()
	defer r.mutex.RUnlock()
	_, ended := r.sessions[c.session]
	until, changed := r.subjects[c.subject]
	return ended || changed && c.issued <= until
}
