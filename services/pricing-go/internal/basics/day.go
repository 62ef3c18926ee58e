// Package basics has the market's calendar: days, tenors, settlement calendars, value dates and trading sessions.
//
// It follows crossrate.basics step by step, so that a value date, and what is said where there is none, are the same in
// both languages. What is data there (holidays, lags, pairs) is taken from there when the program is built, see facts.go.
package basics

import (
	"fmt"
	"time"
)

// Day is a day of the calendar: days since 1970-01-01.
type Day int32

// The days of a week, as Weekday counts them.
const (
	Monday = iota
	Tuesday
	Wednesday
	Thursday
	Friday
	Saturday
	Sunday
)

const secondsOfDay = 86_400

// DayOf is the day of a date; a month or a day outside of its range runs over into the next.
func DayOf(year int, month time.Month, day int) Day {
	return dayOf(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

func dayOf(moment time.Time) Day {
	seconds := moment.Unix()
	if seconds < 0 {
		seconds -= secondsOfDay - 1
	}
	return Day(seconds / secondsOfDay)
}

func (d Day) midnight() time.Time { return time.Unix(int64(d)*secondsOfDay, 0).UTC() }

// Date is the year, the month and the day of the month.
func (d Day) Date() (int, time.Month, int) { return d.midnight().Date() }

// Weekday is 0 on a Monday.
func (d Day) Weekday() int { return (int(d.midnight().Weekday()) + 6) % 7 }

// Name is the English name of the weekday.
func (d Day) Name() string { return d.midnight().Weekday().String() }

func (d Day) String() string { return d.midnight().Format(time.DateOnly) }

// ParseDay reads a day that is written as "2026-12-10".
func ParseDay(text string) (Day, error) {
	moment, err := time.Parse(time.DateOnly, text)
	if err != nil || moment.Year() < 1 {
		return 0, fmt.Errorf("%s is no day of the calendar", text)
	}
	return dayOf(moment), nil
}

func lastOfMonth(year int, month time.Month) Day { return DayOf(year, month+1, 1) - 1 }

func monthEnd(day Day) Day {
	year, month, _ := day.Date()
	return lastOfMonth(year, month)
}

// plusMonths is the same day of a later month, or that month's last day when it is shorter.
func plusMonths(day Day, months int) Day {
	year, month, number := day.Date()
	last := lastOfMonth(year, month+time.Month(months))
	if wanted := DayOf(year, month+time.Month(months), 1) + Day(number) - 1; wanted < last {
		return wanted
	}
	return last
}
