package domain

import (
	"fmt"
	"sort"
	"strings"
	"time"

	"crossrate/pricing/internal/basics"
)

const (
	daysOfYear = 365.0
	// vehicle is the currency through which a cross goes if it does not go through the dollar.
	vehicle = "EUR"
)

// Snapshot is the market at one moment: spot rates (mids, counter per base) and curves. ID is "" if nobody kept it.
type Snapshot struct {
	ID    string
	AsOf  time.Time
	Spots map[basics.Pair]float64
	// Curve is the curve of a currency: *Missing if there is none, NotOffered if it is of a form that is not read here.
	Curve func(currency string) (*Curve, error)
}

// FlatMarket is a market of one pair in which nothing depends on time.
func FlatMarket(pair basics.Pair, asOf time.Time, spot, domesticRate, foreignRate float64) *Snapshot {
	curves := map[string]*Curve{pair.Counter: Flat(domesticRate), pair.Base: Flat(foreignRate)}
	return &Snapshot{AsOf: asOf, Spots: map[basics.Pair]float64{pair: spot}, Curve: Curves(curves)}
}

// Curves looks curves up by currency.
func Curves(known map[string]*Curve) func(string) (*Curve, error) {
	return func(currency string) (*Curve, error) {
		if curve, found := known[currency]; found {
			return curve, nil
		}
		return nil, &Missing{Resource: "curve", Name: currency}
	}
}

// Standing is one pair in a snapshot: its dates and its forwards. The spot rate is for value on the spot date; today is
// the rate for value today that follows from it, S·P_d(t_s)/P_f(t_s).
type Standing struct {
	Pair              basics.Pair
	Dates             *basics.ValueDates
	Spot              float64
	domestic, foreign *Curve
	spotTime, today   float64
}

// Of is the market of one pair. It fails with *Missing, NotOffered or *basics.OutsideCalendar.
func (s *Snapshot) Of(pair basics.Pair) (*Standing, error) {
	spot, found := s.Spots[pair]
	if !found {
		return nil, &Missing{"spot rate", pair.String(), "take a snapshot with the pair"}
	}
	domestic, err := s.Curve(pair.Counter)
	if err != nil {
		return nil, err
	}
	foreign, err := s.Curve(pair.Base)
	if err != nil {
		return nil, err
	}
	dates, err := basics.ValueDatesOf(pair, basics.TradeDate(pair, s.AsOf))
	if err != nil {
		return nil, err
	}
	m := &Standing{Pair: pair, Dates: dates, Spot: spot, domestic: domestic, foreign: foreign}
	m.spotTime = m.time(dates.Spot)
	m.today = spot * exp(foreign.growth(m.spotTime)-domestic.growth(m.spotTime))
	return m, nil
}

// time are years from the trade date to a day.
func (m *Standing) time(day basics.Day) float64 { return float64(day-m.Dates.TradeDate) / daysOfYear }

// forward is the forward for value on a day: S₀·P_f/P_d.
func (m *Standing) forward(day basics.Day) float64 {
	time := m.time(day)
	return m.today * exp(m.domestic.growth(time)-m.foreign.growth(time))
}

// step is one rate on the way from a currency to another.
type step struct {
	pair     basics.Pair
	inverted bool
}

// Today are units of counter for one unit of base for value today, through at most one other currency.
func (s *Snapshot) Today(base, counter string) (float64, error) {
	way, err := s.way(base, counter)
	if err != nil {
		return 0, err
	}
	rate := 1.0
	for _, each := range way {
		market, err := s.Of(each.pair)
		if err != nil {
			return 0, err
		}
		if each.inverted {
			rate *= 1 / market.today
		} else {
			rate *= market.today
		}
	}
	return rate, nil
}

func (s *Snapshot) direct(base, counter string) (step, bool) {
	if pair := (basics.Pair{Base: base, Counter: counter}); s.has(pair) {
		return step{pair, false}, true
	}
	inverse := basics.Pair{Base: counter, Counter: base}
	return step{inverse, true}, s.has(inverse)
}

func (s *Snapshot) has(pair basics.Pair) bool {
	_, found := s.Spots[pair]
	return found
}

func (s *Snapshot) way(base, counter string) ([]step, error) {
	if base == counter {
		return nil, nil
	}
	if only, found := s.direct(base, counter); found {
		return []step{only}, nil
	}
	for _, other := range s.others() {
		first, there := s.direct(base, other)
		second, back := s.direct(other, counter)
		if there && back {
			return []step{first, second}, nil
		}
	}
	have := "none"
	if pairs := s.pairs(); len(pairs) > 0 {
		have = strings.Join(pairs, ", ")
	}
	remedy := fmt.Sprintf("of the spot rates here (%s) none leads from one to the other: take a snapshot with one that does", have)
	return nil, &Missing{"spot rate", base + "/" + counter, remedy}
}

// pairs are the names of all pairs, in order.
func (s *Snapshot) pairs() []string {
	names := make([]string, 0, len(s.Spots))
	for pair := range s.Spots {
		names = append(names, pair.String())
	}
	sort.Strings(names)
	return names
}

// others are the currencies through which a cross may go, the dollar first, then the euro, then by name.
func (s *Snapshot) others() []string {
	known := map[string]bool{}
	for pair := range s.Spots {
		known[pair.Base], known[pair.Counter] = true, true
	}
	codes := make([]string, 0, len(known))
	for code := range known {
		codes = append(codes, code)
	}
	rank := func(code string) string {
		switch code {
		case basics.Dollar:
			return "0"
		case vehicle:
			return "1"
		}
		return "2" + code
	}
	sort.Slice(codes, func(i, j int) bool { return rank(codes[i]) < rank(codes[j]) })
	return codes
}
