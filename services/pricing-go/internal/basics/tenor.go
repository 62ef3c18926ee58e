package basics

import (
	"fmt"
	"regexp"
	"strconv"
)

// Unit is what a tenor counts; ON, TN, SP and SN are places in the calendar.
type Unit string

// The units of tenors. Years are months.
const (
	Overnight    Unit = "ON"
	TomorrowNext Unit = "TN"
	Spot         Unit = "SP"
	SpotNext     Unit = "SN"
	Days         Unit = "D"
	Weeks        Unit = "W"
	Months       Unit = "M"
)

// Tenor is a span from spot; ON and TN are from the trade date and the day after.
type Tenor struct {
	Text  string
	Unit  Unit
	Count int
}

var written = regexp.MustCompile(`^([1-9][0-9]?)([DWMY])$`)

// ParseTenor reads a tenor as dealers write it.
func ParseTenor(text string) (Tenor, error) {
	switch unit := Unit(text); unit {
	case Overnight, TomorrowNext, Spot, SpotNext:
		return Tenor{Text: text, Unit: unit}, nil
	}
	match := written.FindStringSubmatch(text)
	if match == nil {
		return Tenor{}, fmt.Errorf("'%s' is no tenor; write ON, TN, SP, SN, or a number from 1 to 99 with D, W, M or Y", text)
	}
	count, err := strconv.Atoi(match[1])
	if match[2] == "Y" {
		return Tenor{text, Months, 12 * count}, err
	}
	return Tenor{text, Unit(match[2]), count}, err
}
