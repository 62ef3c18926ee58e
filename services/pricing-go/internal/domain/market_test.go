package domain

import (
	"errors"
	"math"
	"testing"
	"time"

	"crossrate/pricing/internal/basics"
)

var (
	euro   = basics.Pair{Base: "EUR", Counter: "USD"}
	moment = time.Date(2026, 3, 4, 14, 0, 0, 0, time.UTC)
)

func flat(t *testing.T) (*Snapshot, *Standing) {
	t.Helper()
	snapshot := FlatMarket(euro, moment, 1.1, 0.04, 0.02)
	standing, err := snapshot.Of(euro)
	if err != nil {
		t.Fatal(err)
	}
	return snapshot, standing
}

// A spot deal at the market's rate is worth nothing, and its forward is the spot rate.
func TestSpotIsTheForwardForTheSpotDate(t *testing.T) {
	snapshot, standing := flat(t)
	price, err := snapshot.Price(standing, []Exchange{standing.OnSpot(1e6, nil)}, "")
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(price.ParRate-1.1) > 1e-15 || price.Total.PresentValue != 0 {
		t.Errorf("par is %v, worth %v", price.ParRate, price.Total.PresentValue)
	}
}

// Delta and both rhos are what finite differences of the worth say.
func TestSensitivitiesAreDerivatives(t *testing.T) {
	rate := 1.05
	worth := func(spot, domestic, foreign float64) float64 {
		snapshot := FlatMarket(euro, moment, spot, domestic, foreign)
		standing, err := snapshot.Of(euro)
		if err != nil {
			t.Fatal(err)
		}
		leg, err := standing.Delivered(Terms{ValueDate: "1Y", Notional: 1e6, Rate: &rate})
		if err != nil {
			t.Fatal(err)
		}
		return standing.value(leg).Valuation.PresentValue
	}
	snapshot, standing := flat(t)
	leg, err := standing.Delivered(Terms{ValueDate: "1Y", Notional: 1e6, Rate: &rate})
	if err != nil {
		t.Fatal(err)
	}
	price, err := snapshot.Price(standing, []Exchange{leg}, "")
	if err != nil {
		t.Fatal(err)
	}
	const h = 1e-5
	found := price.Total
	for name, each := range map[string][2]float64{
		"delta":        {found.Delta, (worth(1.1+h, 0.04, 0.02) - worth(1.1-h, 0.04, 0.02)) / (2 * h)},
		"rho_domestic": {found.RhoDomestic, (worth(1.1, 0.04+h, 0.02) - worth(1.1, 0.04-h, 0.02)) / (2 * h)},
		"rho_foreign":  {found.RhoForeign, (worth(1.1, 0.04, 0.02+h) - worth(1.1, 0.04, 0.02-h)) / (2 * h)},
	} {
		if math.Abs(each[0]-each[1]) > 1e-6*math.Abs(each[0]) {
			t.Errorf("%s is %v, differences say %v", name, each[0], each[1])
		}
	}
}

// A currency that no rate leads to is missing, with what there is.
func TestAReportingCurrencyNeedsAWay(t *testing.T) {
	snapshot, standing := flat(t)
	_, err := snapshot.Price(standing, []Exchange{standing.OnSpot(1, nil)}, "JPY")
	var missing *Missing
	if !errors.As(err, &missing) || missing.Name != "USD/JPY" {
		t.Errorf("got %v", err)
	}
}

// Between pillars the logarithm of the discount factor is linear, outside of them the zero rate is that of the nearest.
func TestACurveRunsThroughItsPillars(t *testing.T) {
	curve := &Curve{Times: []float64{1, 2}, Rates: []float64{0.02, 0.03}}
	for at, want := range map[float64]float64{0.5: 0.01, 1: 0.02, 1.5: 0.04, 2: 0.06, 4: 0.12} {
		if got := curve.growth(at); math.Abs(got-want) > 1e-15 {
			t.Errorf("growth(%v) is %v, not %v", at, got, want)
		}
	}
}
