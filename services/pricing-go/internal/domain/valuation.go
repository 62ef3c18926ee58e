package domain

import "crossrate/pricing/internal/basics"

// Valuation is worth in the counter currency and its changes; units and signs as in the contract, the derivation as in
// services/pricing/domain/valuation.py. An exchange has no volatility; what depends on it is a zero with the sign that the
// general formula gives it.
type Valuation struct {
	PresentValue, Delta, Gamma, Vega, Theta, RhoDomestic, RhoForeign, Vanna, Volga, Charm float64
}

func (v Valuation) plus(w Valuation) Valuation {
	return Valuation{
		v.PresentValue + w.PresentValue, v.Delta + w.Delta, v.Gamma + w.Gamma, v.Vega + w.Vega, v.Theta + w.Theta,
		v.RhoDomestic + w.RhoDomestic, v.RhoForeign + w.RhoForeign, v.Vanna + w.Vanna, v.Volga + w.Volga, v.Charm + w.Charm,
	}
}

func (v Valuation) times(rate float64) Valuation {
	return Valuation{
		rate * v.PresentValue, rate * v.Delta, rate * v.Gamma, rate * v.Vega, rate * v.Theta,
		rate * v.RhoDomestic, rate * v.RhoForeign, rate * v.Vanna, rate * v.Volga, rate * v.Charm,
	}
}

// Leg is an exchange with the market that it was priced with and what it is worth. Hedge is the delta of one unit of base
// for delivery on its value date.
type Leg struct {
	Exchange
	Forward, At, Hedge float64
	Valuation          Valuation
}

// Deltas are deltas of some legs in other conventions, together.
type Deltas struct{ Forward, PremiumAdjusted, PremiumAdjustedForward float64 }

// Price is what a product is worth, in the counter currency and reported in another.
type Price struct {
	Legs                         []Leg
	Total, Reported              Valuation
	Deltas                       Deltas
	ParRate, ParPoints           float64
	Currency                     string
	ReportingRate, ReportedWorth float64
}

// Price values legs and reports their worth in a currency ("" for the counter currency). It fails with *Missing, NotOffered
// or *basics.OutsideCalendar.
func (s *Snapshot) Price(m *Standing, exchanges []Exchange, currency string) (*Price, error) {
	if currency == "" {
		currency = m.Pair.Counter
	}
	price := &Price{Currency: currency}
	for i, each := range exchanges {
		leg := m.value(each)
		price.Legs = append(price.Legs, leg)
		if i == 0 {
			price.Total = leg.Valuation
		} else {
			price.Total = price.Total.plus(leg.Valuation)
		}
		price.Deltas.add(leg, m.Spot)
	}
	rate, err := s.Today(m.Pair.Counter, currency)
	if err != nil {
		return nil, err
	}
	way, err := s.way(m.Pair.Counter, currency)
	if err != nil {
		return nil, err
	}
	moves := len(way) > 0 && way[0] == step{m.Pair, true}
	price.ReportingRate, price.ReportedWorth = rate, price.Total.PresentValue*rate
	price.Reported = reported(price.Total, m.Spot, m.spotTime, rate, moves)
	first, last := price.Legs[0], price.Legs[len(price.Legs)-1]
	if len(price.Legs) == 1 {
		price.ParRate = first.Forward
	} else {
		price.ParRate = m.parFarRate(first, last)
		price.ParPoints = price.ParRate - first.At
	}
	return price, nil
}

// value is the worth of an exchange: zero at the forward, and where the leg has no rate that is the rate.
func (m *Standing) value(leg Exchange) Leg {
	forward := m.forward(leg.ValueDate)
	rate := forward
	if leg.Rate != nil {
		rate = *leg.Rate
	}
	found := m.valued(leg.Notional, m.time(leg.ValueDate), forward-rate)
	return Leg{leg, forward, rate, m.hedge(leg.ValueDate), found}
}

func (m *Standing) hedge(valueDate basics.Day) float64 {
	return m.domestic.discount(m.time(valueDate)) * m.forward(valueDate) / m.Spot
}

// valued is the general formula for u = F − K, whose slope is 1 and whose other derivatives are 0.
func (m *Standing) valued(notional, time, unit float64) Valuation {
	const slope, none = 1.0, 0.0
	amount := notional * m.domestic.discount(time)
	forward := m.today * exp(m.domestic.growth(time)-m.foreign.growth(time))
	growth := forward / m.Spot
	domestic, foreign := 0.0, 0.0
	if time != 0 {
		domestic, foreign = m.domestic.growth(time)/time, m.foreign.growth(time)/time
	}
	value := amount * unit
	lever := amount * slope * forward
	carried := time - m.spotTime
	zero := amount * none
	return Valuation{
		PresentValue: value,
		Delta:        amount * slope * growth,
		Gamma:        zero * growth,
		Vega:         zero,
		Theta:        float64(domestic*value) + zero - float64(lever*(domestic-foreign)),
		RhoDomestic:  float64(lever*carried) - float64(time*value),
		RhoForeign:   -lever * carried,
		Vanna:        zero * growth,
		Volga:        zero,
		Charm:        amount * growth * (foreign*slope + none - float64(float64(none*forward)*(domestic-foreign))),
	}
}

func (d *Deltas) add(leg Leg, spot float64) {
	delta, premium := leg.Valuation.Delta, leg.Valuation.PresentValue/spot
	d.Forward += delta / leg.Hedge
	d.PremiumAdjusted += delta - premium
	d.PremiumAdjustedForward += (delta - premium) / leg.Hedge
}

// reported is a valuation in another currency, of which the counter currency's unit is worth rate today; moves says whether
// that rate begins with the pair's own, and so moves with spot and both zero rates.
func reported(found Valuation, spot, spotTime, rate float64, moves bool) Valuation {
	byRate := found.times(rate)
	if !moves {
		return byRate
	}
	worth, delta, moved := byRate.PresentValue, byRate.Delta, byRate
	moved.Delta = delta - worth/spot
	moved.Gamma = byRate.Gamma - 2*delta/spot + 2*worth/float64(spot*spot)
	moved.Vanna = byRate.Vanna - byRate.Vega/spot
	moved.Charm = byRate.Charm - byRate.Theta/spot
	moved.RhoDomestic = byRate.RhoDomestic + float64(spotTime*worth)
	moved.RhoForeign = byRate.RhoForeign - float64(spotTime*worth)
	return moved
}

// parFarRate is the far rate at which a swap is worth nothing, given its near leg.
func (m *Standing) parFarRate(near, far Leg) float64 {
	unit := far.Notional * m.domestic.discount(m.time(far.ValueDate))
	return far.Forward + near.Valuation.PresentValue/unit
}
