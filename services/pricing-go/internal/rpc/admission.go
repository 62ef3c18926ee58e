package rpc

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"google.golang.org/grpc/metadata"

	"crossrate/pricing/internal/mesh"
)

const (
	reservedShare = 8
	reservedMin   = 4
	retryAfter    = 100 * time.Millisecond
	streamsMax    = 1024
)

// method is a method as admission sees it: its contract, who may call it, and what was learned of it.
type method struct {
	*Contract
	allowed map[string]bool
	needed  *neededTime
}

// admission lets calls in: identity, right, time and room, in this order; each refusal is cheap and early.
type admission struct {
	topology             *mesh.Topology
	clients              *clients
	busyMax, reservedMax int
	mutex                sync.Mutex
	busy, streams, under int
	empty                chan struct{}
}

func newAdmission(topology *mesh.Topology, concurrencyMax int, issuer string, kept *revocations) *admission {
	return &admission{
		topology: topology, clients: clientsOf(topology, issuer, kept), busyMax: concurrencyMax,
		reservedMax: concurrencyMax + max(reservedMin, concurrencyMax/reservedShare),
	}
}

// call is one call that was let in.
type call struct {
	caller    string
	principal string
	begun     time.Time
	deadline  time.Time
	admitted  bool
}

// budget is the time that the work gets, from the beginning of the call.
func (c *call) budget() time.Duration { return c.deadline.Sub(c.begun) }

// enter lets a call in and takes a slot, which leave gives back.
func (a *admission) enter(ctx context.Context, m *method, c *call) error {
	headers, _ := metadata.FromIncomingContext(ctx)
	who := caller(headers.Get(peerHeader), a.topology.TrustDomain)
	c.caller, c.principal = who, who
	if who == "" {
		return noIdentity(m.Name)
	}
	if m.Housekeeping {
		return nil
	}
	if !m.allowed[who] {
		return callerNotAllowed(m.Name, who)
	}
	switch who {
	case edge:
		now := float64(time.Now().UnixNano()) / 1e9
		found, err := a.clients.of(headers.Get, m.Name, now)
		if err != nil {
			return err
		}
		c.principal = found.String()
		if !share(found.roles, m.Roles) {
			return callerNotAllowed(m.Name, found.String())
		}
		if m.StepUp {
			if err := a.clients.checkFactor(found, m.Name, now); err != nil {
				return err
			}
		}
	case local:
		c.principal = "client:operator"
	}
	budget := m.Deadline
	if deadline, has := ctx.Deadline(); has {
		budget = min(budget, time.Until(deadline))
	}
	work := shave(budget, m.ServerStreaming)
	enough, needed := work > 0, time.Duration(0)
	if !m.ServerStreaming {
		enough, needed = m.needed.enough(work)
	}
	if !enough {
		return deadlineTooShort(m.Name, work, needed)
	}
	if err := a.takeSlot(m); err != nil {
		return err
	}
	c.admitted, c.deadline = true, c.begun.Add(work)
	return nil
}

func (a *admission) takeSlot(m *method) error {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	count, limit := &a.busy, a.busyMax
	if m.ServerStreaming {
		count, limit = &a.streams, streamsMax
	} else if m.Reserved {
		limit = a.reservedMax
	}
	if *count >= limit {
		return tooManyRequests(limit, time.Duration(float64(retryAfter)*(1+rand.Float64())))
	}
	*count++
	a.under++
	return nil
}

// leave says that a call which enter saw has ended.
func (a *admission) leave(m *method, c *call, ranToItsEnd bool) {
	if !c.admitted {
		return
	}
	if !m.ServerStreaming && ranToItsEnd {
		m.needed.took(time.Since(c.begun))
	}
	a.mutex.Lock()
	defer a.mutex.Unlock()
	if m.ServerStreaming {
		a.streams--
	} else {
		a.busy--
	}
	if a.under--; a.under == 0 && a.empty != nil {
		close(a.empty)
		a.empty = nil
	}
}

// inFlight are the calls under way, housekeeping aside.
func (a *admission) inFlight() int {
	a.mutex.Lock()
	defer a.mutex.Unlock()
	return a.under
}

// drained waits until no call is under way, at most for the grace, and returns how many are left.
func (a *admission) drained(grace time.Duration) int {
	a.mutex.Lock()
	if a.under == 0 {
		a.mutex.Unlock()
		return 0
	}
	empty := make(chan struct{})
	a.empty = empty
	a.mutex.Unlock()
	select {
	case <-empty:
	case <-time.After(grace):
	}
	return a.inFlight()
}
