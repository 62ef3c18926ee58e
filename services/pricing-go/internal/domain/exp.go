package domain

import (
	"math"
	"math/big"

	"golang.org/x/sys/cpu"
)

// exp is e^x as numpy makes it on this processor, to the last bit, for |x| up to 700.
//
// Prices of two versions are compared in all their digits, and no two libraries round every exponential alike. numpy's
// Linux wheels have two: on a processor with AVX-512 that of Intel's Short Vector Math Library, anywhere else that of the C
// library. Both reduce x to a small r beside a power of two from a table; table, polynomial and the order of the steps
// decide the last bit.
var exp = chosen()

func chosen() func(float64) float64 {
	x := cpu.X86
	if x.HasAVX512F && x.HasAVX512CD && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL {
		return expVector()
	}
	return expScalar()
}

// rootsOfTwo are 2^(j/count) for j below count, a power of two, with 300 bits.
func rootsOfTwo(count int) []*big.Float {
	root := new(big.Float).SetPrec(300).SetInt64(2)
	for n := 1; n < count; n *= 2 {
		root.Sqrt(root)
	}
	roots := []*big.Float{new(big.Float).SetPrec(300).SetInt64(1)}
	for len(roots) < count {
		roots = append(roots, new(big.Float).SetPrec(300).Mul(roots[len(roots)-1], root))
	}
	return roots
}

// split are the doubles next to 2^(j/count), and what they lack, relative to them.
func split(count int) (head, tail []float64) {
	for _, root := range rootsOfTwo(count) {
		near, _ := root.Float64()
		rest := new(big.Float).SetPrec(300).Quo(root, big.NewFloat(near))
		lacks, _ := rest.Sub(rest, big.NewFloat(1)).Float64()
		head, tail = append(head, near), append(tail, lacks)
	}
	return head, tail
}

// expVector is the exponential of __svml_exp8_ha (Intel's SVML as numpy has it, BSD-3-Clause; its coefficients): sixteen roots
// of two, x/ln 2 rounded down to sixteenths, a polynomial of degree six.
func expVector() func(float64) float64 {
	head, tail := split(16)
	return func(x float64) float64 {
		const inverse = 0x1.71547652b82fep0
		product := float64(x * inverse)
		rest := math.FMA(x, inverse, -product)
		n := math.Floor(product * 16)
		if n == product*16 && rest < 0 {
			n--
		}
		j := int64(n) & 15
		n /= 16
		r := math.FMA(-n, 0x1.62e42fefa39efp-1, x)
		r = math.FMA(-n, 0x1.abc9e3b39803fp-56, r)
		square := float64(r * r)
		high := math.FMA(r, 0x1.7411836940c04p-10, 0x1.1101cbbc265c0p-7)
		middle := math.FMA(r, 0x1.55557242d68fep-5, 0x1.5555553939732p-3)
		low := math.FMA(r, 0x1.000000000d008p-1, 0x1.fffffffffff70p-1)
		p := math.FMA(square, high, middle)
		p = math.FMA(square, p, low)
		p = math.FMA(p, r, tail[j])
		return math.Ldexp(math.FMA(p, head[j], head[j]), int(math.Floor(n)))
	}
}

// expScalar is the exponential of the GNU C library since 2.28 with fused multiplication (Nagy 2018, Arm's optimised routines;
// their coefficients): 128 roots of two, x/ln 2 rounded to the nearest 128th, a polynomial of degree five.
func expScalar() func(float64) float64 {
	head, tail := split(128)
	return func(x float64) float64 {
		const shift = 0x1.8p52
		if math.Abs(x) < 0x1p-54 {
			return 1 + x
		}
		moved := math.FMA(x, 0x1.71547652b82fep7, shift)
		bits := int64(math.Float64bits(moved))
		n := moved - shift
		r := math.FMA(n, -0x1.62e42fefa0000p-8, x)
		r = math.FMA(n, -0x1.cf79abc9e3b39p-47, r)
		j := bits & 127
		square := float64(r * r)
		low := math.FMA(r, 0x1.555555555543cp-3, 0x1.ffffffffffdbdp-2)
		high := math.FMA(r, 0x1.1111167a4d017p-7, 0x1.55555cf172b91p-5)
		p := math.FMA(square, low, tail[j]+r)
		p = math.FMA(float64(square*square), high, p)
		return math.Ldexp(math.FMA(head[j], p, head[j]), (int(n)-int(j))/128)
	}
}
