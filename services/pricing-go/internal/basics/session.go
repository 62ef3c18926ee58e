package basics

import (
	"fmt"
	"sync"
	"time"
	_ "time/tzdata" // Where the machine has none.
)

const (
	newYorkRoll  = 17
	aucklandRoll = 7
	kiwi         = "NZD"
)

var newYork = sync.OnceValue(func() *time.Location { return zone("America/New_York") })
var auckland = sync.OnceValue(func() *time.Location { return zone("Pacific/Auckland") })

func zone(name string) *time.Location {
	found, err := time.LoadLocation(name)
	if err != nil {
		panic(fmt.Sprintf("the time zone %s is not known: %v", name, err))
	}
	return found
}

func roll(day Day, hour int, where *time.Location) time.Time {
	year, month, number := day.Date()
	return time.Date(year, month, number, hour, 0, 0, 0, where)
}

func monthOf(day Day) time.Month {
	_, month, _ := day.Date()
	return month
}

// sessionEnd is when a pair's session of a trade date ends.
func sessionEnd(pair Pair, tradeDate Day) time.Time {
	if !pair.Has(kiwi) || tradeDate.Weekday() == Friday {
		return roll(tradeDate, newYorkRoll, newYork())
	}
	return roll(tradeDate+1, aucklandRoll, auckland())
}

// TradeDate is the trade date in which a moment falls; between Friday's end and Monday's begin it is Monday's.
func TradeDate(pair Pair, moment time.Time) Day {
	// A session of date D lies within D - 2 and D + 1 in UTC: the first that has not ended is the one.
	day := dayOf(moment.UTC()) - 1
	for {
		if weekday := day.Weekday(); weekday >= Saturday {
			day += Day(7 - weekday)
		}
		if moment.Before(sessionEnd(pair, day)) {
			return day
		}
		day++
	}
}
