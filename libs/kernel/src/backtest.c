/* Backtests of value at risk: see include/xr/backtest.h. */
#include "xr/backtest.h"

#include "binomial.h"
#include "ragged.h"

#define XR_COUNT_MAX 1e9
#define IS_COUNT(x) (((x) >= 0.0) & ((x) <= XR_COUNT_MAX) && (x) == floor(x))
#define IS_OBSERVED(x) (((x) >= 1.0) & ((x) <= XR_COUNT_MAX) && (x) == floor(x))
#define IS_PROBABILITY(x) (((x) >= 1e-9) & ((x) <= 1.0 - 1e-9))

/* Survival of the chi-square distribution: with one degree of freedom that of a squared normal, with two an exponential. */
static double survival_one(double x) { return erfc(sqrt(0.5 * fmax(x, 0.0))); }
static double survival_two(double x) { return exp(-0.5 * fmax(x, 0.0)); }

/* Twice the log of the likelihood of the observed proportion over that of p: expected and observed counts have one sum, so
   that the deviances' linear parts cancel. */
static double proportion_ratio(double breaches, double observations, double p) {
  const double rest = observations - breaches;
  return 2.0 * (xr_deviance(breaches, observations * p) + xr_deviance(rest, observations * (1.0 - p)));
}

static xr_refusal check(double breaches, double observations, double probability) {
  XR_REQUIRE(IS_COUNT(breaches), breaches, 1);
  XR_REQUIRE(IS_OBSERVED(observations), observations, 2);
  XR_REQUIRE(IS_PROBABILITY(probability), probability, 3);
  return breaches > observations ? xr_refuse(XR_INCONSISTENT, 1) : 0;
}

int64_t xr_backtest_failures(int64_t count, const double *breaches, const double *observations,
                             const double *probability, double *statistic, double *p_value, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check(breaches[i], observations[i], probability[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    statistic[i] = refusal ? NAN : proportion_ratio(breaches[i], observations[i], probability[i]);
    p_value[i] = refusal ? NAN : survival_one(statistic[i]);
  }
  return 0;
}

int64_t xr_backtest_zone(int64_t count, const double *breaches, const double *observations, const double *probability,
                         double *cumulative, double *tail, double *zone, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check(breaches[i], observations[i], probability[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    cumulative[i] = tail[i] = zone[i] = NAN;
    if (refusal) continue;
    xr_binomial_tails(breaches[i], observations[i], probability[i], cumulative + i, tail + i);
    zone[i] = cumulative[i] < 0.95 ? XR_GREEN : cumulative[i] < 0.9999 ? XR_YELLOW : XR_RED;
  }
  return 0;
}

/* Independence against a first-order Markov chain (Christoffersen 1998, equations 9 to 12) is the likelihood ratio of a table
   of two by two: transitions expected are row times column over the total. Conditional coverage (equation 16) is the sum of
   that and the proportion's ratio over the same days. */
int64_t xr_backtest_sequence(int64_t series, const int64_t *offsets, const int8_t *breach, const double *probability,
                             double *transitions, double *statistic, double *p_value) {
  const int64_t fault = xr_check_rows(offsets, series, 2, 1);
  if (fault) return fault;
  XR_REQUIRE_ALL_CODES(breach, 2, offsets[series], 2);
  XR_REQUIRE_ALL(IS_PROBABILITY, probability, series, 3);
  for (int64_t k = 0; k < series; k++) {
    const int64_t first = offsets[k], last = offsets[k + 1];
    double *n = transitions + 4 * k, *lr = statistic + 3 * k, *p = p_value + 3 * k;
    n[0] = n[1] = n[2] = n[3] = 0.0;
    for (int64_t t = first + 1; t < last; t++) n[2 * breach[t - 1] + breach[t]] += 1.0;
    const double total = n[0] + n[1] + n[2] + n[3], hit = n[1] + n[3];
    const double row[2] = {n[0] + n[1], n[2] + n[3]}, column[2] = {n[0] + n[2], hit};
    lr[1] = 0.0;
    for (int j = 0; j < 4; j++) lr[1] += 2.0 * xr_deviance(n[j], row[j / 2] * column[j % 2] / total);
    lr[1] = fmax(lr[1], 0.0);
    lr[0] = proportion_ratio(hit + breach[first], total + 1.0, probability[k]);
    lr[2] = lr[1] + proportion_ratio(hit, total, probability[k]);
    p[0] = survival_one(lr[0]);
    p[1] = survival_one(lr[1]);
    p[2] = survival_two(lr[2]);
  }
  return 0;
}
