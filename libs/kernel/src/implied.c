/* Implied volatility: see include/xr/implied.h.

   In units of √(S'K') the out-of-the-money premium is β(s) = e^(x/2) N(h + t) - e^(-x/2) N(h - t), where x = -|ln(S'/K')|,
   s = σ √T, h = x/s, t = s/2 (Jäckel 2015, "Let's be rational", has the scaling). With F(a) = N(a)/φ(a):

     β' = e^(-(h² + t²)/2) / √(2π),   β = β' m,   m = F(h + t) - F(h - t),   β''/β' = u = h²/s - t/2.

   Solved is f(s) = ln β(s) - ln β* = 0 by Householder's method of the third order (error to the fourth power). Above half of
   the greatest premium its complement takes the place of β: it is β' mc with mc = F(-h - t) + F(h - t), and f' = -1/mc.

   The first guess is the Bachelier volatility of the same premium, as a rational function of v = ln(1 + |x| / (β √(2π)))
   fitted to 4e-4, with the first term of the difference between the two models. Two steps end it nearly always; what moved
   more than a ten-thousandth in its second step goes on alone, inside a bracket. */
#include "xr/implied.h"

#include "checks.h"
#include "lanes.h"

#define BLOCK 128
#define INPUTS 6
#define SMALL 0.02        /* below this total volatility m is a series, for its two terms agree in too many digits */
#define SETTLED 1e-4      /* a last step below this leaves an error of its fourth power */
#define ITERATIONS_MAX 80 /* of an element alone; bisection alone would need 60 */
#define LN_SQRT_2PI 0.91893853320467274178

enum { PRICE, SPOT, STRIKE, TIME, DOMESTIC, FOREIGN };

static const double HARMLESS[INPUTS] = {0.04, 1.0, 1.0, 1.0, 0.0, 0.0};

typedef struct {
  double x;      /* |ln(S'/K')| */
  double target; /* ln β*, or the logarithm of its complement */
  double upper;  /* 1 where the complement is solved for, else 0 */
  double s;      /* the guess */
} problem;

/* m of the text, or -mc: then f' is 1/m in both cases. */
XR_INLINE double slope_of(int small, double upper, double h, double t) {
  const double a = h + t, b = h - t;
  const double ya = fabs(a), yb = fabs(b);
  const double qa = xr_mills_denominator(ya), qb = xr_mills_denominator(yb);
  const double shared = 1.0 / (qa * qb);
  const double ma = xr_mills_numerator(ya) * qb * shared, mb = xr_mills_numerator(yb) * qa * shared;
  /* F(|a|): the whole less the tail. */
  const double wide = XR_SQRT2PI * xr_exp(0.5 * a * a) - ma;
  double m = (a > 0.0 ? wide : ma) - mb;
  if (small) {
    /* F(b + s) - F(b) by Taylor: F' = 1 + b F, F'' = F + b F', and so on. */
    const double s = t + t;
    const double f1 = 1.0 + b * mb, f2 = mb + b * f1, f3 = 2.0 * f1 + b * f2, f4 = 3.0 * f2 + b * f3;
    const double f5 = 4.0 * f3 + b * f4, f6 = 5.0 * f4 + b * f5, f7 = 6.0 * f5 + b * f6, f8 = 7.0 * f6 + b * f7;
    double sum = f8 * (1.0 / 40320.0);
    sum = sum * s + f7 * (1.0 / 5040.0);
    sum = sum * s + f6 * (1.0 / 720.0);
    sum = sum * s + f5 * (1.0 / 120.0);
    sum = sum * s + f4 * (1.0 / 24.0);
    sum = sum * s + f3 * (1.0 / 6.0);
    sum = sum * s + f2 * 0.5;
    sum = sum * s + f1;
    m = s < SMALL ? sum * s : m;
  }
  const double mc = (a > 0.0 ? ma : wide) + mb;
  m = m > 1e-300 ? m : 1e-300;
  return upper != 0.0 ? -mc : m;
}

typedef struct {
  double value; /* f */
  double next;  /* where the step leads */
} step;

XR_INLINE step step_of(int small, double x, double target, double upper, double s) {
  step result;
  const double inverse = 1.0 / s;
  const double h = -x * inverse, t = 0.5 * s;
  const double m = slope_of(small, upper, h, t);
  const double over_m = 1.0 / m;
  const double f = xr_log(fabs(m)) - LN_SQRT_2PI - 0.5 * (h * h + t * t) - target;
  const double u = h * h * inverse - 0.5 * t;
  const double du = -3.0 * h * h * inverse * inverse - 0.25;
  const double newton = -f * m;
  const double second = u - over_m;
  const double third = u * u + du - 3.0 * u * over_m + 2.0 * over_m * over_m;
  const double denominator = 1.0 + second * newton + third * newton * newton * (1.0 / 6.0);
  result.value = f;
  result.next = s + newton * (1.0 + 0.5 * second * newton) / denominator;
  return result;
}

XR_INLINE double kept_positive(double next, double s) {
  /* A step out of the positive numbers, or not a number at all, halves instead; one far out doubles at most thrice. */
  const double low = next > 0.125 * s ? next : 0.125 * s;
  return low < 8.0 * s ? low : 8.0 * s;
}

XR_INLINE problem problem_of(double sign, double price, double spot, double strike, double time, double domestic,
                             double foreign, double *least, double *out) {
  problem p;
  const double ds = spot * xr_exp(-foreign * time), dk = strike * xr_exp(-domestic * time);
  const double x = xr_log_ratio(spot, strike) + (domestic - foreign) * time;
  const double inside = price - sign * (ds - dk);
  *out = sign * x > 0.0 ? inside : price;
  *least = ds < dk ? ds : dk;
  p.x = fabs(x);
  const double scale = sqrt(ds) * sqrt(dk);
  double beta = *out / scale;
  beta = beta > 1e-300 ? beta : 1e-300;
  double complement = (*least - *out) / scale;
  complement = complement > 1e-300 ? complement : 1e-300;
  p.upper = complement < beta ? 1.0 : 0.0;
  p.target = xr_log(p.upper != 0.0 ? complement : beta);
  /* The Bachelier guess. */
  const double width = beta * XR_SQRT2PI;
  const double z = p.x > 1e-8 * width ? p.x / width : 1e-8;
  const double v = xr_log(1.0 + z);
  const double above = 1.0 + v * (0.3192368716970787 + v * (0.05922786453267171 + v * 0.0013825380843280532));
  const double below =
      1.0 + v * (1.8149447824298823 + v * (0.327004889390681 + v * (0.036143051154429624 + v * 0.0006934720715434734)));
  const double h2 = v * v * above / below;
  double s = z * width / sqrt(h2);
  s = s + s * (s < 2.0 ? s * s : 4.0) * (1.0 / 24.0) / (1.0 + 0.5 * h2);
  /* In the upper half: the complement at the forward is 2 N(-s/2), whose inverse this approximates. */
  const double depth = xr_log(*least > 1e-300 ? *least / scale : 1e-300) - xr_log(complement);
  const double high = 2.0 * depth * sqrt(1.5708 / (1.0 + 0.785 * depth)) + sqrt(p.x);
  p.s = p.upper != 0.0 && high > s ? high : s;
  return p;
}

/* An element that two steps did not settle: the same steps, kept inside of a bracket that each value of f narrows. */
static double alone(double x, double target, double upper, double s, int32_t *reason) {
  double low = 0.0, high = 2000.0;
  for (int i = 0; i < ITERATIONS_MAX; i++) {
    const step next = step_of(1, x, target, upper, s);
    const double sense = upper != 0.0 ? -next.value : next.value;
    if (sense > 0.0) high = s;
    if (sense < 0.0) low = s;
    double to = next.next;
    if (!(to > low && to < high)) to = low > 0.0 && high < 1000.0 ? sqrt(low * high) : (low > 0.0 ? 2.0 * s : 0.5 * s);
    const double moved = fabs(to - s);
    s = to;
    if (moved <= 1e-9 * s || next.value == 0.0) return s;
    if (high - low <= 4e-16 * high) return s;
  }
  *reason = XR_NOT_CONVERGED;
  return s;
}

typedef struct {
  const int8_t *call;
  const double *in[INPUTS];
} quotes;

static xr_refusal refusal_of(const quotes *q, int64_t i) {
  XR_REQUIRE_CODE(q->call[i], 2, 1);
  XR_REQUIRE((q->in[PRICE][i] >= 0.0) & (q->in[PRICE][i] <= XR_LEVEL_MAX), q->in[PRICE][i], 2);
  XR_REQUIRE(XR_IS_LEVEL(q->in[SPOT][i]), q->in[SPOT][i], 3);
  XR_REQUIRE(XR_IS_LEVEL(q->in[STRIKE][i]), q->in[STRIKE][i], 4);
  XR_REQUIRE(XR_IS_TIME(q->in[TIME][i]), q->in[TIME][i], 5);
  XR_REQUIRE(XR_IS_RATE(q->in[DOMESTIC][i]), q->in[DOMESTIC][i], 6);
  XR_REQUIRE(XR_IS_RATE(q->in[FOREIGN][i]), q->in[FOREIGN][i], 7);
  return 0;
}

typedef struct {
  double in[INPUTS][BLOCK];
  double sign[BLOCK], x[BLOCK], target[BLOCK], upper[BLOCK], first[BLOCK], s[BLOCK], moved[BLOCK];
  double least[BLOCK], out[BLOCK];
} bench;

XR_INLINE void prepare(bench *w) {
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) {
    const problem p = problem_of(w->sign[i], w->in[PRICE][i], w->in[SPOT][i], w->in[STRIKE][i], w->in[TIME][i],
                                 w->in[DOMESTIC][i], w->in[FOREIGN][i], &w->least[i], &w->out[i]);
    w->x[i] = p.x;
    w->target[i] = p.target;
    w->upper[i] = p.upper;
    w->first[i] = p.s;
  }
}

XR_INLINE void solve(int small, bench *w) {
#pragma omp simd
  for (int i = 0; i < BLOCK; i++) {
    const double s0 = w->first[i];
    const double s1 = kept_positive(step_of(small, w->x[i], w->target[i], w->upper[i], s0).next, s0);
    const double s2 = kept_positive(step_of(small, w->x[i], w->target[i], w->upper[i], s1).next, s1);
    w->s[i] = s2;
    w->moved[i] = fabs(s2 - s1) / s1;
  }
}

static void solve_block(bench *w) {
  prepare(w);
  double least = 1.0;
  for (int i = 0; i < BLOCK; i++) least = w->first[i] < least ? w->first[i] : least;
  /* A guess is good to some percent, so that no other element comes below the border of the series. */
  if (least < 2.0 * SMALL) {
    solve(1, w);
  } else {
    solve(0, w);
  }
}

/* The volatility of one solved element, or why there is none. */
static double volatility_of(const bench *w, int i, int32_t *reason) {
  const double out = w->out[i], time = w->in[TIME][i];
  if (!(out >= 0.0) || !(out < w->least[i]) || time <= 0.0) {
    *reason = XR_NO_SOLUTION;
    return NAN;
  }
  if (out == 0.0) return 0.0;
  const double s = w->moved[i] <= SETTLED ? w->s[i] : alone(w->x[i], w->target[i], w->upper[i], w->first[i], reason);
  const double volatility = s / sqrt(time);
  if (volatility > XR_VOLATILITY_MAX) *reason = XR_NO_SOLUTION;
  return *reason ? NAN : volatility;
}

int64_t xr_implied_volatility(int64_t count, const int8_t *put_or_call, const double *price, const double *spot,
                              const double *strike, const double *time, const double *domestic_rate,
                              const double *foreign_rate, double *volatility, uint8_t *status) {
  const quotes q = {put_or_call, {price, spot, strike, time, domestic_rate, foreign_rate}};
  bench w;
  for (int64_t start = 0; start < count; start += BLOCK) {
    const int size = (int)(count - start < BLOCK ? count - start : BLOCK);
    uint8_t reasons[BLOCK];
    for (int i = 0; i < BLOCK; i++) {
      const xr_refusal refusal = i < size ? refusal_of(&q, start + i) : 0;
      if (refusal && !status) return xr_fault(refusal, start + i);
      const int usable = i < size && !refusal;
      reasons[i] = (uint8_t)(refusal >> 8);
      w.sign[i] = usable && !put_or_call[start + i] ? -1.0 : 1.0;
      for (int k = 0; k < INPUTS; k++) w.in[k][i] = usable ? q.in[k][start + i] : HARMLESS[k];
    }
    solve_block(&w);
    for (int i = 0; i < size; i++) {
      int32_t reason = reasons[i];
      const double solved = reason ? NAN : volatility_of(&w, i, &reason);
      if (reason && !status) return xr_fault(xr_refuse(reason, 2), start + i);
      volatility[start + i] = solved;
      if (status) status[start + i] = (uint8_t)reason;
    }
  }
  return 0;
}
