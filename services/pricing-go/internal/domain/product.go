package domain

import (
	"errors"
	"fmt"
	"strings"

	"crossrate/pricing/internal/basics"
)

// Exchange is one exchange of amounts on a day: notional of the base currency is bought (negative: sold) at a rate, counter per
// base. Without a rate it is dealt at the market's forward. Fixing is set if only the difference is paid.
type Exchange struct {
	Name      string
	Notional  float64
	ValueDate basics.Day
	Rate      *float64
	Fixing    *basics.Day
}

// Terms are what a client gives of one exchange: the value date as a tenor or a date, and the path of that in the request.
type Terms struct {
	Name, ValueDate, Field string
	Notional               float64
	Rate                   *float64
}

// OnSpot is an exchange on the spot date.
func (m *Standing) OnSpot(notional float64, rate *float64) Exchange {
	return Exchange{Notional: notional, ValueDate: m.Dates.Spot, Rate: rate}
}

// Delivered is an exchange on a tenor's date or a broken date. It fails with *Refused or *basics.OutsideCalendar.
func (m *Standing) Delivered(terms Terms) (Exchange, error) {
	if convention, _ := m.Pair.Convention(); !convention.Deliverable {
		return Exchange{}, &Refused{terms.Field, fmt.Sprintf("%s is not delivered: price it as an NDF", m.Pair)}
	}
	return m.exchange(terms)
}

// Fixed is an exchange of which only the difference to the fixing is paid; it fails as Delivered does.
func (m *Standing) Fixed(terms Terms) (Exchange, error) {
	leg, err := m.exchange(terms)
	if err != nil {
		return leg, err
	}
	fixing, err := m.Dates.Fixing(leg.ValueDate)
	leg.Fixing = &fixing
	return leg, err
}

func (m *Standing) exchange(terms Terms) (Exchange, error) {
	day, err := m.settles(terms.ValueDate)
	var outside *basics.OutsideCalendar
	if err != nil && !errors.As(err, &outside) {
		err = &Refused{terms.Field, err.Error()}
	}
	return Exchange{Name: terms.Name, Notional: terms.Notional, ValueDate: day, Rate: terms.Rate}, err
}

func (m *Standing) settles(text string) (basics.Day, error) {
	if strings.Contains(text, "-") {
		day, err := basics.ParseDay(text)
		if err != nil {
			return 0, err
		}
		return m.Dates.Broken(day)
	}
	tenor, err := basics.ParseTenor(text)
	if err != nil {
		return 0, err
	}
	return m.Dates.At(tenor)
}

// Swap are the two exchanges of a swap, or *Refused with the path of the far date if it is not after the near one.
func Swap(near, far Exchange, field string) ([]Exchange, error) {
	if far.ValueDate <= near.ValueDate {
		return nil, &Refused{field, fmt.Sprintf("%s is not after the near date %s", far.ValueDate, near.ValueDate)}
	}
	return []Exchange{near, far}, nil
}
