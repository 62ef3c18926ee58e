package domain

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// exact is e^x with 200 bits, by halving and the series.
func exact(x float64) *big.Float {
	const halvings = 20
	small := new(big.Float).SetPrec(300).SetFloat64(x)
	small.SetMantExp(small, -halvings)
	sum, term := big.NewFloat(1).SetPrec(300), big.NewFloat(1).SetPrec(300)
	for n := 1; n < 40; n++ {
		term.Mul(term, small).Quo(term, new(big.Float).SetPrec(300).SetInt64(int64(n)))
		sum.Add(sum, term)
	}
	for range halvings {
		sum.Mul(sum, sum)
	}
	return sum
}

// Both exponentials are within 0.75 units in the last place of e^x, so that a table or a coefficient that is wrong shows.
func TestExponentialsAreExponentials(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	for name, made := range map[string]func(float64) float64{"vector": expVector(), "scalar": expScalar()} {
		for range 5000 {
			x := (dice.Float64() - 0.5) * math.Pow(10, 3*dice.Float64()-1)
			got, want := made(x), exact(x)
			near, _ := want.Float64()
			ulp := math.Nextafter(near, math.Inf(1)) - near
			off, _ := new(big.Float).Sub(new(big.Float).SetPrec(300).SetFloat64(got), want).Float64()
			if math.Abs(off) > 0.75*ulp {
				t.Fatalf("%s exp(%v) is %v, %v units off", name, x, got, off/ulp)
			}
		}
		if made(0) != 1 || made(math.Copysign(0, -1)) != 1 {
			t.Errorf("%s exp(0) is not 1", name)
		}
	}
}

// The two differ in some last bits, which is why it matters which one numpy has.
func TestTheTwoExponentialsDiffer(t *testing.T) {
	vector, scalar, different := expVector(), expScalar(), 0
	for i := range 10_000 {
		x := float64(i) / 10_000
		if vector(x) != scalar(x) {
			different++
		}
	}
	if different == 0 || different > 2_000 {
		t.Errorf("%d of 10,000 differ", different)
	}
}
