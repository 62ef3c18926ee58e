package basics

import (
	"fmt"
	"strings"
)

// NotDealt is a tenor or a date that has no market for this pair and trade date; it says why and what is next.
type NotDealt string

func (e NotDealt) Error() string { return string(e) }

// ValueDates are all value dates of one pair on one trade date. The rules are those of crossrate.basics.value_date.
type ValueDates struct {
	Pair      Pair
	TradeDate Day
	Spot      Day
	calendars []*Calendar
}

// ValueDatesOf are the value dates of trades done on a trade date, a Monday to Friday; *OutsideCalendar if spot needs a
// day that one of the calendars does not know.
func ValueDatesOf(pair Pair, tradeDate Day) (*ValueDates, error) {
	if tradeDate.Weekday() >= Saturday {
		return nil, fmt.Errorf("%s is a %s; trade dates run from Monday to Friday", tradeDate, tradeDate.Name())
	}
	dates := &ValueDates{Pair: pair, TradeDate: tradeDate}
	for _, code := range []string{pair.Base, pair.Counter, Dollar} {
		if !dates.has(code) {
			dates.calendars = append(dates.calendars, read().calendars[code])
		}
	}
	for _, calendar := range dates.calendars {
		// It may be a holiday, but has to be known.
		if _, err := calendar.Holiday(tradeDate); err != nil {
			return nil, err
		}
	}
	spot, err := dates.spot()
	dates.Spot = spot
	return dates, err
}

func (v *ValueDates) has(code string) bool {
	for _, calendar := range v.calendars {
		if calendar.Currency == code {
			return true
		}
	}
	return false
}

func (v *ValueDates) spot() (Day, error) {
	var earliest Day
	for _, calendar := range v.calendars {
		if calendar.Currency == Dollar {
			continue
		}
		own, err := dollarSpot(calendar, v.TradeDate)
		if err != nil {
			return 0, err
		}
		earliest = max(earliest, own)
	}
	return nextGood(earliest, v.calendars, 1)
}

// dollarSpot is the earliest spot of a currency against the dollar, before the roll to a day on which both settle.
func dollarSpot(currency *Calendar, tradeDate Day) (Day, error) {
	own, err := currency.plus(tradeDate, currency.lagDays)
	if err != nil || !currency.dollarCountsFully {
		return own, err
	}
	dollar, err := read().calendars[Dollar].plus(tradeDate, currency.lagDays)
	return max(own, dollar), err
}

// At is the day on which a tenor settles.
func (v *ValueDates) At(tenor Tenor) (Day, error) {
	tomorrow, err := v.following(v.TradeDate + 1)
	if err != nil {
		return 0, err
	}
	switch tenor.Unit {
	case Overnight:
		return tomorrow, nil
	case TomorrowNext:
		if tomorrow >= v.Spot {
			return 0, NotDealt(fmt.Sprintf("%s has no TN on %s: spot is the next business day, %s", v.Pair, v.TradeDate, v.Spot))
		}
		return v.Spot, nil
	case Spot:
		return v.Spot, nil
	case SpotNext:
		return v.following(v.Spot + 1)
	case Days:
		return v.following(v.Spot + Day(tenor.Count))
	case Weeks:
		return v.following(v.Spot + Day(7*tenor.Count))
	}
	return v.months(tenor.Count)
}

// Broken is a date that no tenor names, if it is one.
func (v *ValueDates) Broken(day Day) (Day, error) {
	if day <= v.TradeDate {
		return 0, NotDealt(fmt.Sprintf("%s is not after the trade date %s", day, v.TradeDate))
	}
	good, err := isGood(day, v.calendars)
	if err != nil || good {
		return day, err
	}
	why, err := v.why(day)
	if err != nil {
		return 0, err
	}
	next, err := v.following(day)
	if err != nil {
		return 0, err
	}
	return 0, NotDealt(fmt.Sprintf("%s is no value date of %s: %s; the next is %s", day, v.Pair, why, next))
}

// Fixing is when an NDF fixes: as many good days before its value date as the pair's spot lag (EMTA template terms).
func (v *ValueDates) Fixing(valueDate Day) (Day, error) {
	convention, _ := v.Pair.Convention()
	day, err := valueDate, error(nil)
	for range convention.LagDays {
		if day, err = nextGood(day-1, v.calendars, -1); err != nil {
			return 0, err
		}
	}
	return day, nil
}

func (v *ValueDates) following(day Day) (Day, error) { return nextGood(day, v.calendars, 1) }

func (v *ValueDates) lastOfMonth(day Day) (Day, error) {
	return nextGood(monthEnd(day), v.calendars, -1)
}

func (v *ValueDates) months(count int) (Day, error) {
	target := plusMonths(v.Spot, count)
	last, err := v.lastOfMonth(v.Spot)
	if err != nil {
		return 0, err
	}
	if v.Spot == last {
		return v.lastOfMonth(target)
	}
	rolled, err := v.following(target)
	if err != nil {
		return 0, err
	}
	if _, month, _ := rolled.Date(); month == monthOf(target) {
		return rolled, nil
	}
	return v.lastOfMonth(target)
}

func (v *ValueDates) why(day Day) (string, error) {
	if day.Weekday() >= Saturday {
		return "it is a " + day.Name(), nil
	}
	var reasons []string
	for _, calendar := range v.calendars {
		name, err := calendar.Holiday(day)
		if err != nil {
			return "", err
		}
		if name != "" {
			reasons = append(reasons, name+" in "+calendar.Currency)
		}
	}
	return strings.Join(reasons, " and "), nil
}
