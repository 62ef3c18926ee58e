package basics

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"sync"
)

// Dollar is the currency against which every other has its spot date.
const Dollar = "USD"

//go:embed facts.json
var factsJSON []byte

// Convention is how a pair is dealt.
type Convention struct {
	// LagDays are business days from the trade date to spot.
	LagDays int `json:"lag_days"`
	// Deliverable is false for a pair of which only the difference is paid.
	Deliverable bool `json:"deliverable"`
}

type currencyFacts struct {
	First             string            `json:"first"`
	Last              string            `json:"last"`
	Holidays          map[string]string `json:"holidays"`
	LagDays           int               `json:"lag_days"`
	DollarCountsFully bool              `json:"dollar_counts_fully"`
}

type facts struct {
	calendars map[string]*Calendar
	pairs     map[string]Convention
}

// read is done once: a quarter of a megabyte of holidays.
var read = sync.OnceValue(func() facts {
	var written struct {
		Currencies map[string]currencyFacts
		Pairs      map[string]Convention
	}
	if err := json.Unmarshal(factsJSON, &written); err != nil {
		panic(fmt.Sprintf("the facts that were built in cannot be read: %v", err))
	}
	found := facts{calendars: map[string]*Calendar{}, pairs: written.Pairs}
	for code, known := range written.Currencies {
		calendar := &Calendar{Currency: code, First: builtIn(known.First), Last: builtIn(known.Last)}
		calendar.lagDays, calendar.dollarCountsFully = known.LagDays, known.DollarCountsFully
		calendar.holidays = make(map[Day]string, len(known.Holidays))
		for day, name := range known.Holidays {
			calendar.holidays[builtIn(day)] = name
		}
		found.calendars[code] = calendar
	}
	return found
})

func builtIn(text string) Day {
	day, err := ParseDay(text)
	if err != nil {
		panic(err)
	}
	return day
}

// Pair is a currency pair, named the way the market names it: a price is how many units of Counter one of Base costs.
type Pair struct{ Base, Counter string }

func (p Pair) String() string { return p.Base + "/" + p.Counter }

// Has says whether a currency is one of the two.
func (p Pair) Has(currency string) bool { return p.Base == currency || p.Counter == currency }

// Convention is how the pair is dealt; false if it is none of the platform's instruments.
func (p Pair) Convention() (Convention, bool) {
	found, known := read().pairs[p.String()]
	return found, known
}
