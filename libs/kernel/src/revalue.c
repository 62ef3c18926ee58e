/* Full revaluation: see include/xr/revalue.h; the formula stands in garman.h.

   For one position ln(S_j/K) = ln(S/K) + return_j, so that the inner loop, over the scenarios of a block, has no logarithm.
   What belongs to a market and a scenario alone (e^return, the conversion) is computed once a block; nothing of the size of
   positions × scenarios is kept unless asked for. */
#include "xr/revalue.h"

#include "checks.h"
#include "garman.h"

#define BLOCK 64
#define RETURN_MAX 50.0
#define ROWS 6 /* blocks of a market */

enum { KIND = 4, MARKET, STRIKE, TIME, VOLATILITY, DOMESTIC, FOREIGN, NOTIONAL, SPOT, CONVERSION };
enum { SPOT_RETURN = 14, VOLATILITY_SHIFT, DOMESTIC_SHIFT, FOREIGN_SHIFT, CONVERSION_RETURN };

/* A position's constants. */
typedef struct {
  double moneyness, spot, strike, root, today;
} position;

/* One block of scenarios of one market. */
typedef struct {
  const double *spot_return, *volatility, *domestic, *foreign;
  const double *growth, *conversion;
} shifts;

static xr_refusal row_refusal(const double *row, int64_t scenarios, double limit, int32_t argument, int64_t *at) {
  if (!row) return 0;
  for (int64_t j = 0; j < scenarios; j++) {
    if (!(fabs(row[j]) <= limit)) {
      *at = j;
      return xr_refuse_number(row[j], argument);
    }
  }
  return 0;
}

static xr_refusal position_refusal(int8_t kind, int64_t market, int64_t markets, double strike, double time,
                                   double volatility, double domestic, double foreign, double notional) {
  XR_REQUIRE_CODE(kind, 3, KIND);
  XR_REQUIRE_CODE(market, markets, MARKET);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, STRIKE);
  XR_REQUIRE(XR_IS_TIME(time), time, TIME);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, VOLATILITY);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, DOMESTIC);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, FOREIGN);
  XR_REQUIRE(XR_IS_AMOUNT(notional), notional, NOTIONAL);
  return 0;
}

/* The positions' values of `width` scenarios of one block, a multiple of eight, weighted and added to sum. In two loops, as a
   premium is: a scenario's chain of a division, an exponential and another division is longer than the processor looks ahead.
   Constant arguments make one pair of loops each. */
XR_INLINE void value_block(int width, int vols, int rates, int8_t kind, const position *p, double time,
                           double volatility, double notional, const shifts *m, double today, double *restrict sum,
                           double *restrict alone) {
  const double sign = kind == XR_POSITION_PUT ? -1.0 : 1.0;
  const double option = kind == XR_POSITION_FORWARD ? 0.0 : 1.0;
  const double fixed = volatility * p->root > XR_TINY ? volatility * p->root : XR_TINY;
  const double over_fixed = 1.0 / fixed;
  const double *restrict returns = m->spot_return, *restrict growth = m->growth, *restrict conversion = m->conversion;
  const double *restrict vol = m->volatility, *restrict domestic = m->domestic, *restrict foreign = m->foreign;
  double x[BLOCK], quotient[BLOCK], deviation[BLOCK], spot[BLOCK], strike[BLOCK];
  if (width % 8) __builtin_unreachable(); /* whole vectors on every path, without a remainder's other instructions */
#pragma omp simd
  for (int j = 0; j < width; j++) {
    double moneyness = p->moneyness + returns[j];
    double ds = p->spot * growth[j], dk = p->strike;
    if (rates) {
      moneyness += (domestic[j] - foreign[j]) * time;
      ds *= xr_exp(-foreign[j] * time);
      dk *= xr_exp(-domestic[j] * time);
    }
    double w = fixed, size = fabs(moneyness) * over_fixed;
    if (vols) {
      w = (volatility + vol[j]) * p->root;
      w = w > XR_TINY ? w : XR_TINY;
      size = fabs(moneyness) / w;
    }
    x[j] = moneyness;
    quotient[j] = size;
    deviation[j] = w;
    spot[j] = ds;
    strike[j] = dk;
  }
#pragma omp simd
  for (int j = 0; j < width; j++) {
    const double w = vols ? deviation[j] : fixed, dk = rates ? strike[j] : p->strike;
    const xr_tails tails = xr_tails_of(x[j], quotient[j], w, spot[j], dk);
    const double premium = xr_premium_of(sign, x[j], &tails);
    const double value = option != 0.0 ? premium : spot[j] - dk;
    const double gained = notional * (conversion[j] * value - today);
    sum[j] += gained;
    alone[j] = gained;
  }
}

/* Copies a row's block, filled up with zeros. */
static void fill(double *to, const double *from, int64_t size) {
  for (int64_t j = 0; j < BLOCK; j++) to[j] = from && j < size ? from[j] : 0.0;
}

static xr_refusal market_refusal(int64_t markets, int64_t scenarios, int64_t stride, const double *spot,
                                 const double *conversion, const double *const *rows, int64_t *at) {
  static const double limits[] = {RETURN_MAX, XR_VOLATILITY_MAX, XR_RATE_MAX, XR_RATE_MAX, RETURN_MAX};
  for (int64_t k = 0; k < markets; k++) {
    *at = k;
    XR_REQUIRE(XR_IS_LEVEL(spot[k]), spot[k], SPOT);
    XR_REQUIRE(XR_IS_LEVEL(conversion[k]), conversion[k], CONVERSION);
  }
  for (int r = 0; r < 5; r++) {
    for (int64_t k = 0; rows[r] && k < markets; k++) {
      int64_t column = 0;
      const xr_refusal refusal = row_refusal(rows[r] + k * stride, scenarios, limits[r], SPOT_RETURN + r, &column);
      *at = k * stride + column;
      if (refusal) return refusal;
    }
  }
  return 0;
}

int64_t xr_revalue(int64_t positions, int64_t markets, int64_t scenarios, int64_t stride, const int8_t *kind,
                   const int64_t *market, const double *strike, const double *time, const double *volatility,
                   const double *domestic_rate, const double *foreign_rate, const double *notional, const double *spot,
                   const double *conversion, const double *spot_return, const double *volatility_shift,
                   const double *domestic_shift, const double *foreign_shift, const double *conversion_return,
                   double *profit, double *contributions, double *scratch) {
  const double *const rows[] = {spot_return, volatility_shift, domestic_shift, foreign_shift, conversion_return};
  int64_t at = 0;
  xr_refusal refusal = market_refusal(markets, scenarios, stride, spot, conversion, rows, &at);
  if (refusal) return xr_fault(refusal, at);
  position *constants = (position *)scratch;
  for (int64_t i = 0; i < positions; i++) {
    refusal = position_refusal(kind[i], market[i], markets, strike[i], time[i], volatility[i], domestic_rate[i],
                               foreign_rate[i], notional[i]);
    if (refusal) return xr_fault(refusal, i);
    const double s = spot[market[i]], sign = kind[i] == XR_POSITION_PUT ? -1.0 : 1.0;
    position *p = &constants[i];
    p->moneyness = xr_log_growth(s, strike[i], domestic_rate[i], foreign_rate[i], time[i]);
    p->spot = s * xr_exp(-foreign_rate[i] * time[i]);
    p->strike = strike[i] * xr_exp(-domestic_rate[i] * time[i]);
    p->root = sqrt(time[i]);
    const double w = volatility[i] * p->root > XR_TINY ? volatility[i] * p->root : XR_TINY;
    const xr_tails tails = xr_tails_of(p->moneyness, fabs(p->moneyness) / w, w, p->spot, p->strike);
    const double premium = xr_premium_of(sign, p->moneyness, &tails);
    p->today = conversion[market[i]] * (kind[i] == XR_POSITION_FORWARD ? p->spot - p->strike : premium);
  }
  const int vols = volatility_shift != NULL, rates = domestic_shift != NULL || foreign_shift != NULL;
  /* Of each market one block of its shifts, filled up with zeros, of its growth and of its conversion. */
  double *blocks = scratch + 6 * positions;
  for (int64_t start = 0; start < scenarios; start += BLOCK) {
    const int64_t size = scenarios - start < BLOCK ? scenarios - start : BLOCK;
    const int width = (int)(size + 7) / 8 * 8;
    double sum[BLOCK] = {0}, alone[BLOCK];
    for (int64_t k = 0; k < markets; k++) {
      double *own = blocks + ROWS * BLOCK * k;
      const int64_t offset = k * stride + start;
      for (int r = 0; r < 5; r++) fill(own + r * BLOCK, rows[r] ? rows[r] + offset : NULL, size);
      for (int j = 0; j < BLOCK; j++) own[4 * BLOCK + j] = conversion[k] * xr_exp(own[4 * BLOCK + j]);
      for (int j = 0; j < BLOCK; j++) own[5 * BLOCK + j] = xr_exp(own[j]);
    }
    for (int64_t i = 0; i < positions; i++) {
      const double *own = blocks + ROWS * BLOCK * market[i];
      const shifts m = {own, own + BLOCK, own + 2 * BLOCK, own + 3 * BLOCK, own + 5 * BLOCK, own + 4 * BLOCK};
      const position *p = &constants[i];
      if (rates) {
        value_block(width, 1, 1, kind[i], p, time[i], volatility[i], notional[i], &m, p->today, sum, alone);
      } else if (vols) {
        value_block(width, 1, 0, kind[i], p, time[i], volatility[i], notional[i], &m, p->today, sum, alone);
      } else {
        value_block(width, 0, 0, kind[i], p, time[i], volatility[i], notional[i], &m, p->today, sum, alone);
      }
      if (contributions) memcpy(contributions + i * scenarios + start, alone, (size_t)size * sizeof(double));
    }
    memcpy(profit + start, sum, (size_t)size * sizeof(double));
  }
  return 0;
}
