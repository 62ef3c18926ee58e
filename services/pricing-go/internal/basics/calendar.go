package basics

import "fmt"

// stepsMax is the longest search for a settlement day, in days.
const stepsMax = 60

// OutsideCalendar says that a day lies outside of what is known of a currency's holidays, First to Last.
type OutsideCalendar struct {
	Currency         string
	Day, First, Last Day
}

func (e *OutsideCalendar) Error() string {
	return fmt.Sprintf("the %s settlement calendar is known from %s to %s; %s is outside it", e.Currency, e.First, e.Last, e.Day)
}

// Calendar has the settlement days of one currency.
type Calendar struct {
	Currency          string
	First, Last       Day
	lagDays           int
	dollarCountsFully bool
	holidays          map[Day]string
}

// Holiday is the name of the holiday kept on a day, "" if there is none; *OutsideCalendar if that is not known.
func (c *Calendar) Holiday(day Day) (string, error) {
	if day < c.First || day > c.Last {
		return "", &OutsideCalendar{c.Currency, day, c.First, c.Last}
	}
	return c.holidays[day], nil
}

func (c *Calendar) settles(day Day) (bool, error) {
	name, err := c.Holiday(day)
	return name == "" && day.Weekday() < Saturday, err
}

// plus is the n-th settlement day after a day.
func (c *Calendar) plus(day Day, n int) (Day, error) {
	var err error
	for range n {
		if day, err = nextGood(day+1, []*Calendar{c}, 1); err != nil {
			return 0, err
		}
	}
	return day, nil
}

func isGood(day Day, calendars []*Calendar) (bool, error) {
	for _, calendar := range calendars {
		if good, err := calendar.settles(day); err != nil || !good {
			return false, err
		}
	}
	return true, nil
}

// nextGood is the first day from a day on, backwards for step -1, on which all of some currencies settle.
func nextGood(day Day, calendars []*Calendar, step Day) (Day, error) {
	for range stepsMax {
		good, err := isGood(day, calendars)
		if err != nil || good {
			return day, err
		}
		day += step
	}
	panic(fmt.Sprintf("no common settlement day within %d days before %s", stepsMax, day))
}
