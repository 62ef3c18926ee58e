package domain

import "sort"

// Curve is interest of one currency as zero rates at pillars, continuously compounded; times in years, ascending.
//
// Between pillars the logarithm of the discount factor is linear in time; outside of them the zero rate is that of the
// nearest one.
type Curve struct{ Times, Rates []float64 }

// Flat is the curve that has one rate at all times.
func Flat(rate float64) *Curve { return &Curve{Times: []float64{1}, Rates: []float64{rate}} }

// growth is rate × time, the negative logarithm of the discount factor, for a time in years that is not negative.
func (c *Curve) growth(time float64) float64 {
	last := len(c.Times) - 1
	switch {
	case last == 0 || time < c.Times[0]:
		return c.Rates[0] * time
	case time > c.Times[last]:
		return c.Rates[last] * time
	}
	// The pillar at the time or before it.
	j := sort.Search(len(c.Times), func(i int) bool { return c.Times[i] > time }) - 1
	at := func(i int) float64 { return float64(c.Rates[i] * c.Times[i]) }
	if j == last || c.Times[j] == time {
		return at(j)
	}
	slope := (at(j+1) - at(j)) / (c.Times[j+1] - c.Times[j])
	return float64(slope*(time-c.Times[j])) + at(j)
}

// discount is what one unit that is paid after a time is worth today.
func (c *Curve) discount(time float64) float64 { return exp(-c.growth(time)) }
