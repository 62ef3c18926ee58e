/* Implied volatility: see include/xr/implied.h.

   In units of √(S'K') the out-of-the-money premium is β(s) = e^(x/2) N(h + t) - e^(-x/2) N(h - t), where x = -|ln(S'/K')|,
   s = σ √T, h = x/s, t = s/2 (Jäckel 2015, "Let's be rational", has the scaling). With F(a) = N(a)/φ(a):

     β' = e^(-(h² + t²)/2) / √(2π),   β = β' m,   m = F(h + t) - F(h - t),   β''/β' = u = h²/s - t/2.

   Solved is f(s) = ln β(s) - ln β* = 0 by Householder's method of the third order (error to the fourth power). Above half of
   the greatest premium its complement takes the place of β: it is β' mc with mc = F(-h - t) + F(h - t), and f' = -1/mc.

   The first guess is the Bachelier volatility of the same premium, as a rational function of v = ln(1 + |x| / (β √(2π)))
   fitted to 4e-5, with the first two terms of the difference between the two models. It leaves so little that one step ends
   it nearly always. What that step moved by more than a few thousandths of a percent goes on alone, inside a bracket; so
   does what is solved for by its complement, which no market of less than a hundred percent for years has. */
#include "xr/implied.h"

#include "lanes.h"
#include "ranges.h"

#define BLOCK 64
#define CHUNK 8 /* of what is left over */
#define INPUTS 6
#define XR_LEAST 1e-300
#define SMALL 0.02        /* below this total volatility m is a series, for its two terms agree in too many digits */
#define SETTLED 2e-4      /* a step below this leaves an error of its fourth power */
#define ITERATIONS_MAX 80 /* of an element alone; bisection alone would need 60 */
#define LN_SQRT_2PI 0.91893853320467274178

enum { PRICE, SPOT, STRIKE, TIME, DOMESTIC, FOREIGN };

static const double HARMLESS[INPUTS] = {0.04, 1.0, 1.0, 1.0, 0.0, 0.0};

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

/* An element that one step did not settle: the same steps, kept inside of a bracket that each value of f narrows. */
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

/* What a block is worked on; out and least are in units of √(S'K'). */
typedef struct {
  double sign[BLOCK], root[BLOCK];
  double x[BLOCK];     /* |ln(S'/K')| */
  double out[BLOCK];   /* β*: the premium of the side that is out of the money */
  double least[BLOCK]; /* which has to be below this */
  double target[BLOCK], guess[BLOCK];
  double s[BLOCK];
} bench;

/* Whether a whole block is fine, without a branch; if not, each element is looked at alone. */
XR_INLINE int fine(const int8_t *call, const double *const *in) {
  const double *restrict price = in[PRICE], *restrict spot = in[SPOT], *restrict strike = in[STRIKE];
  const double *restrict time = in[TIME], *restrict domestic = in[DOMESTIC], *restrict foreign = in[FOREIGN];
  uint64_t outside = 0;
#pragma omp simd reduction(| : outside)
  for (int i = 0; i < BLOCK; i++) {
    outside |= xr_outside_market(spot[i], strike[i], time[i], domestic[i], foreign[i]) |
               xr_outside(price[i], 0.0, XR_LEVEL_MAX);
  }
  return !(outside >> 63) && xr_are_flags(call, BLOCK);
}

XR_INLINE void normalise(int length, bench *w, const double *const *in) {
  const double *restrict price = in[PRICE], *restrict spot = in[SPOT], *restrict strike = in[STRIKE];
  const double *restrict time = in[TIME], *restrict domestic = in[DOMESTIC], *restrict foreign = in[FOREIGN];
#pragma omp simd
  for (int i = 0; i < length; i++) {
    const double t = time[i];
    const double ds = spot[i] * xr_exp_bounded(-foreign[i] * t), dk = strike[i] * xr_exp_bounded(-domestic[i] * t);
    const double x = xr_log_growth(spot[i], strike[i], domestic[i], foreign[i], t);
    const double over_scale = 1.0 / (sqrt(ds) * sqrt(dk));
    const double inside = price[i] - w->sign[i] * (ds - dk);
    w->x[i] = fabs(x);
    w->out[i] = (w->sign[i] * x > 0.0 ? inside : price[i]) * over_scale;
    w->least[i] = (ds < dk ? ds : dk) * over_scale;
    w->root[i] = sqrt(t);
  }
}

/* The Bachelier guess, and from it the Black one. */
XR_INLINE void guess(int length, bench *w) {
#pragma omp simd
  for (int i = 0; i < length; i++) {
    const double beta = w->out[i] > XR_LEAST ? w->out[i] : XR_LEAST;
    const double width = beta * XR_SQRT2PI;
    const double ratio = w->x[i] / width;
    const double z = ratio > 1e-8 ? ratio : 1e-8;
    const double v = xr_log(1.0 + z);
    double above = 0.00015981912671765667;
    above = XR_FMA(above, v, 0.016747195438440856);
    above = XR_FMA(above, v, 0.0711911726503552);
    above = XR_FMA(above, v, 0.3604629455088289);
    above = XR_FMA(above, v, 1.0);
    double below = 8.006644433207386e-05;
    below = XR_FMA(below, v, 0.00920290400563767);
    below = XR_FMA(below, v, 0.09162940638436061);
    below = XR_FMA(below, v, 0.36845368371389026);
    below = XR_FMA(below, v, 1.8647278414491568);
    below = XR_FMA(below, v, 1.0);
    const double h2 = v * v * above / below;
    const double s = z * width / sqrt(h2);
    /* 1 - h² F'(h), with which the term in s² goes, also a fit. */
    const double flat = (1.0 + h2 * (5.255271344657254 + h2 * 1.784580576727268)) /
                        (1.0 + h2 * (6.118385627521311 + h2 * (4.538886705073378 + h2 * 0.5987833463389978)));
    const double s2 = s < 2.0 ? s * s : 4.0;
    w->guess[i] = XR_FMA(s * s2, flat * (1.0 / 24.0) + s2 * flat * flat * (7.0 / 1920.0), s);
    w->target[i] = xr_log(beta);
  }
}

XR_INLINE void solve(int length, int small, bench *w) {
#pragma omp simd
  for (int i = 0; i < length; i++) w->s[i] = step_of(small, w->x[i], w->target[i], 0.0, w->guess[i]).next;
}

/* The volatility of an element that is not like the others, or why there is none. */
static double exception_of(const bench *w, int i, int32_t *reason) {
  const double out = w->out[i], least = w->least[i];
  if (!(out >= 0.0) || !(out < least) || w->root[i] <= 0.0) {
    *reason = XR_NO_SOLUTION;
    return NAN;
  }
  if (out == 0.0) return 0.0;
  const double upper = least - out < out ? 1.0 : 0.0;
  double s = w->guess[i];
  if (upper != 0.0) {
    /* The complement at the forward is 2 N(-s/2), whose inverse this approximates. */
    const double depth = xr_log_ratio(least, least - out);
    const double high = 2.0 * depth * sqrt(1.5708 / (1.0 + 0.785 * depth)) + sqrt(w->x[i]);
    s = high > s ? high : s;
  }
  const double target = upper != 0.0 ? xr_log(least - out) : w->target[i];
  const double volatility = alone(w->x[i], target, upper, s, reason) / w->root[i];
  if (volatility > XR_VOLATILITY_MAX) *reason = XR_NO_SOLUTION;
  return *reason ? NAN : volatility;
}

/* Solves `length` elements that are fine; returns how many of them are not settled, and marks them with NaN. */
XR_INLINE int solve_block(int length, bench *w, const double *const *in, double *restrict volatility) {
  normalise(length, w, in);
  guess(length, w);
  double least = 1.0;
#pragma omp simd reduction(min : least)
  for (int i = 0; i < length; i++) least = w->guess[i] < least ? w->guess[i] : least;
  if (least < SMALL) {
    solve(length, 1, w);
  } else {
    solve(length, 0, w);
  }
  double open = 0.0;
#pragma omp simd reduction(+ : open)
  for (int i = 0; i < length; i++) {
    const int settled = (fabs(w->s[i] - w->guess[i]) <= SETTLED * w->guess[i]) & (w->out[i] > XR_LEAST) &
                        (w->out[i] + w->out[i] <= w->least[i]) & (w->root[i] > 0.0);
    const double found = w->s[i] / w->root[i];
    const int kept = settled & (found <= XR_VOLATILITY_MAX);
    volatility[i] = kept ? found : NAN;
    open += kept ? 0.0 : 1.0;
  }
  return open != 0.0;
}

/* Elements of which some may be refused, or which do not fill a block. */
static int64_t chunk(int64_t start, int64_t size, const quotes *q, double *volatility, uint8_t *status) {
  bench w;
  double in[INPUTS][CHUNK], solved[CHUNK];
  const double *rows[INPUTS];
  int32_t reasons[CHUNK];
  for (int k = 0; k < INPUTS; k++) rows[k] = in[k];
  for (int64_t i = 0; i < CHUNK; i++) {
    const xr_refusal refusal = i < size ? refusal_of(q, start + i) : 0;
    const int usable = i < size && !refusal;
    if (refusal && !status) {
      /* An earlier element without a solution is named first: those before this one are tried. */
      const int64_t fault = i ? chunk(start, i, q, volatility, NULL) : 0;
      return fault ? fault : xr_fault(refusal, start + i);
    }
    reasons[i] = refusal >> 8;
    w.sign[i] = usable && !q->call[start + i] ? -1.0 : 1.0;
    for (int k = 0; k < INPUTS; k++) in[k][i] = usable ? q->in[k][start + i] : HARMLESS[k];
  }
  (void)solve_block(CHUNK, &w, rows, solved);
  for (int64_t i = 0; i < size; i++) {
    if (reasons[i]) {
      solved[i] = NAN;
    } else if (isnan(solved[i])) {
      solved[i] = exception_of(&w, (int)i, &reasons[i]);
    }
    if (reasons[i] && !status) return xr_fault(xr_refuse(reasons[i], 2), start + i);
    volatility[start + i] = solved[i];
    if (status) status[start + i] = (uint8_t)reasons[i];
  }
  return 0;
}

int64_t xr_implied_volatility(int64_t count, const int8_t *put_or_call, const double *price, const double *spot,
                              const double *strike, const double *time, const double *domestic_rate,
                              const double *foreign_rate, double *volatility, uint8_t *status) {
  const quotes q = {put_or_call, {price, spot, strike, time, domestic_rate, foreign_rate}};
  bench w;
  for (int64_t start = 0; start < count; start += BLOCK) {
    const int64_t size = count - start < BLOCK ? count - start : BLOCK;
    if (size == BLOCK) {
      const double *in[INPUTS];
      for (int k = 0; k < INPUTS; k++) in[k] = q.in[k] + start;
      for (int i = 0; i < BLOCK; i++) w.sign[i] = 2.0 * put_or_call[start + i] - 1.0;
      if (fine(put_or_call + start, in)) {
        const int open = solve_block(BLOCK, &w, in, volatility + start);
        if (status) memset(status + start, 0, BLOCK);
        for (int i = 0; open && i < BLOCK; i++) {
          int32_t reason = XR_OK;
          if (!isnan(volatility[start + i])) continue;
          volatility[start + i] = exception_of(&w, i, &reason);
          if (reason && !status) return xr_fault(xr_refuse(reason, 2), start + i);
          if (status) status[start + i] = (uint8_t)reason;
        }
        continue;
      }
    }
    for (int64_t at = 0; at < size; at += CHUNK) {
      const int64_t part = size - at < CHUNK ? size - at : CHUNK;
      const int64_t fault = chunk(start + at, part, &q, volatility, status);
      if (fault) return fault;
    }
  }
  return 0;
}
