package service

import (
	"fmt"
	"strings"
	"time"

	"google.golang.org/genproto/googleapis/type/date"
	"google.golang.org/protobuf/types/known/timestamppb"

	"crossrate/pricing/internal/basics"
	"crossrate/pricing/internal/domain"
	pricingv1 "crossrate/pricing/internal/gen/pricingv1"
	"crossrate/pricing/internal/rpc"
)

const (
	secondsFirst, secondsLast = -62_135_596_800, 253_402_300_799
	yearFirst, yearLast       = 1999, 2099
)

// pairOf is the pair of an instrument's name, or NOT_FOUND.
func pairOf(name string) (basics.Pair, error) {
	base, counter, _ := strings.Cut(name, "/")
	pair, inverse := basics.Pair{Base: base, Counter: counter}, basics.Pair{Base: counter, Counter: base}
	if _, known := pair.Convention(); known {
		return pair, nil
	}
	remedy := "ListInstruments names all there are"
	if _, known := inverse.Convention(); known {
		remedy = "it is quoted as " + inverse.String()
	}
	return pair, rpc.NotFound("instrument", name, remedy)
}

// momentOf is a moment that a request gives, to the microsecond.
func momentOf(message *timestamppb.Timestamp, field string) (time.Time, error) {
	seconds, nanos := message.GetSeconds(), message.GetNanos()
	wrong := ""
	if seconds < secondsFirst || seconds > secondsLast {
		wrong = fmt.Sprintf("Seconds %d must be in range [%d, %d].", seconds, int64(secondsFirst), int64(secondsLast))
	} else if nanos < 0 || nanos > 999_999_999 {
		wrong = fmt.Sprintf("Nanos %d must be in a range [0, 999999].", nanos)
	}
	if wrong != "" {
		return time.Time{}, rpc.Invalid(rpc.Violation{Field: field, Description: "is no time: Timestamp is not valid: " + wrong})
	}
	moment := time.Unix(seconds, int64(nanos)).UTC().Truncate(time.Microsecond)
	if year := moment.Year(); year < yearFirst || year > yearLast {
		first, last := fmt.Sprintf("%d-01-01", yearFirst), fmt.Sprintf("%d-12-31", yearLast)
		words := fmt.Sprintf("%s: %s is outside of the days that are known, %s to %s", field, moment.Format(time.DateOnly), first, last)
		return time.Time{}, rpc.Outside(words, first, last)
	}
	return moment, nil
}

func dateMessage(day basics.Day) *date.Date {
	year, month, number := day.Date()
	return &date.Date{Year: int32(year), Month: int32(month), Day: int32(number)}
}

func valuationMessage(v domain.Valuation) *pricingv1.Valuation {
	return &pricingv1.Valuation{
		PresentValue: v.PresentValue, Delta: v.Delta, Gamma: v.Gamma, Vega: v.Vega, Theta: v.Theta,
		RhoDomestic: v.RhoDomestic, RhoForeign: v.RhoForeign, Vanna: v.Vanna, Volga: v.Volga, Charm: v.Charm,
	}
}

func deltasMessage(d domain.Deltas) *pricingv1.Deltas {
	return &pricingv1.Deltas{
		Forward: d.Forward, PremiumAdjusted: d.PremiumAdjusted, PremiumAdjustedForward: d.PremiumAdjustedForward,
	}
}

func legMessage(leg domain.Leg) *pricingv1.PricedLeg {
	message := &pricingv1.PricedLeg{
		Name: leg.Name, Notional: leg.Notional, ValueDate: dateMessage(leg.ValueDate), Rate: leg.At, Forward: leg.Forward,
		Valuation: valuationMessage(leg.Valuation),
	}
	if leg.Fixing != nil {
		message.ExpiryDate = dateMessage(*leg.Fixing)
	}
	return message
}
