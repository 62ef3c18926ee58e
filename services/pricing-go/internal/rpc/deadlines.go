package rpc

import (
	"sync"
	"time"
)

const (
	marginShare        = 0.1
	marginMax          = 20 * time.Millisecond
	streamMarginShare  = 0.05
	streamMarginMax    = time.Second
	samplesMin         = 32
	step               = 0.03
	neededMax          = time.Second
	neededShareOfLimit = 2
)

// shave is the time that the work gets, of what is left until the deadline: a margin is kept back in which this server can still
// say that it was the one that ran out of time.
func shave(remaining time.Duration, streaming bool) time.Duration {
	share, most := marginShare, marginMax
	if streaming {
		share, most = streamMarginShare, streamMarginMax
	}
	return max(0, remaining-min(most, time.Duration(float64(remaining)*share)))
}

// neededTime is what a method usually takes: its running median, by a step up or down for each call (Ma, Muthukrishnan and
// Sandler 2014, "Frugal streaming for estimating quantiles").
type neededTime struct {
	mutex   sync.Mutex
	limit   time.Duration
	median  float64
	samples int
	needed  time.Duration
}

func neededFor(deadline time.Duration) *neededTime {
	return &neededTime{limit: min(neededMax, deadline/neededShareOfLimit)}
}

// took learns that a call ran to its end, or to its deadline, in this time.
func (n *neededTime) took(elapsed time.Duration) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	switch took := float64(elapsed); {
	case n.median == 0:
		n.median = took
	case took > n.median:
		n.median *= 1 + step
	default:
		n.median *= 1 - step
	}
	if n.samples < samplesMin {
		n.samples++
	} else {
		n.needed = min(time.Duration(n.median), n.limit)
	}
}

// enough says whether a call may begin, and what such calls need. A refusal steps the estimate down.
func (n *neededTime) enough(work time.Duration) (bool, time.Duration) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	needed := n.needed
	if work > 0 && work >= needed {
		return true, needed
	}
	if needed > 0 {
		n.needed = time.Duration(float64(needed) * (1 - step))
		n.median = float64(n.needed)
	}
	return false, needed
}
