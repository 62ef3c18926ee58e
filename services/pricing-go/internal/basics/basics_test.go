package basics

import (
	"errors"
	"testing"
	"time"
)

func day(t *testing.T, text string) Day {
	t.Helper()
	found, err := ParseDay(text)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Days are those of the calendar, with their weekdays.
func TestDays(t *testing.T) {
	if d := day(t, "2026-03-04"); d.Weekday() != Wednesday || d+1 != day(t, "2026-03-05") || d.String() != "2026-03-04" {
		t.Errorf("%s is weekday %d", d, d.Weekday())
	}
	if d := day(t, "1969-12-31"); d != -1 {
		t.Errorf("the day before the first is %d", d)
	}
	for _, text := range []string{"2026-02-30", "2026-13-01", "0000-01-01"} {
		if _, err := ParseDay(text); err == nil {
			t.Errorf("%s is taken for a day", text)
		}
	}
	if got := plusMonths(day(t, "2026-01-31"), 1); got != day(t, "2026-02-28") {
		t.Errorf("a month after January 31st is %s", got)
	}
}

// Trade dates roll at 17:00 in New York, for pairs with the New Zealand dollar at 07:00 in Auckland.
func TestTradeDatesRoll(t *testing.T) {
	at := func(text string) time.Time {
		moment, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		return moment
	}
	for _, each := range []struct{ base, counter, moment, want string }{
		{"EUR", "USD", "2026-03-04T21:59:59Z", "2026-03-04"},
		{"EUR", "USD", "2026-03-04T22:00:00Z", "2026-03-05"},
		{"EUR", "USD", "2026-03-06T22:00:00Z", "2026-03-09"},
		{"NZD", "USD", "2026-03-04T17:59:59Z", "2026-03-04"},
		{"NZD", "USD", "2026-03-04T18:00:00Z", "2026-03-05"},
	} {
		if got := TradeDate(Pair{each.base, each.counter}, at(each.moment)); got != day(t, each.want) {
			t.Errorf("%s/%s at %s trades for %s, not %s", each.base, each.counter, each.moment, got, each.want)
		}
	}
}

// Spot is two days on, one for the dollar against its neighbour; what is outside of a calendar is said to be.
func TestValueDates(t *testing.T) {
	for _, each := range []struct{ base, counter, want string }{{"EUR", "USD", "2026-03-06"}, {"USD", "CAD", "2026-03-05"}} {
		dates, err := ValueDatesOf(Pair{each.base, each.counter}, day(t, "2026-03-04"))
		if err != nil || dates.Spot != day(t, each.want) {
			t.Errorf("spot of %s/%s is %v, %v", each.base, each.counter, dates, err)
		}
	}
	var outside *OutsideCalendar
	if _, err := ValueDatesOf(Pair{"EUR", "USD"}, day(t, "2051-03-03")); !errors.As(err, &outside) || outside.Currency != "EUR" {
		t.Errorf("got %v", err)
	}
}
