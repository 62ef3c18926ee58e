/* Margin: see include/xr/margin.h. */
#include "xr/margin.h"

#include "tables.h"

#define SCENARIOS 16

static int64_t not_codes(int64_t count, const int64_t *codes, int64_t limit, int32_t argument) {
  for (int64_t i = 0; i < count; i++)
    if (codes[i] < 0 || codes[i] >= limit) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, argument), i);
  return 0;
}

/* What is known of one account, by group. */
typedef struct {
  double *loss;       /* groups × 16 */
  double *delta;      /* net */
  double *left;       /* of it, what no spread has used */
  double *price_risk; /* of the group, for the whole of its delta */
  double *minimum;    /* for short options */
} account;

/* Scanning risk is the greatest loss, or nothing. Its price risk, which spreads are credited for, leaves out volatility by the
   mean of the scenario and its twin, and time by the mean of the two without a price move (the exchange's
   volatility-adjusted loss and time risk). The two extreme scenarios have no twin. */
static double scanning_risk(const double *loss, double *price_risk) {
  int64_t active = 0;
  for (int64_t k = 1; k < SCENARIOS; k++)
    if (loss[k] > loss[active]) active = k;
  const double scan = fmax(0.0, loss[active]);
  const double adjusted = active < 14 ? 0.5 * (loss[active] + loss[active ^ 1]) : loss[active];
  *price_risk = scan > 0.0 ? fmin(scan, fmax(0.0, adjusted - 0.5 * (loss[0] + loss[1]))) : 0.0;
  return scan;
}

static int64_t check(int64_t accounts, int64_t instruments, int64_t groups, const double *position,
                     const int64_t *group, const double *risk, const double *delta, const double *short_minimum,
                     const double *option_value) {
  if (accounts < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (instruments < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  if (groups < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 2), 0);
  int64_t fault = xr_not_amounts(accounts * instruments, position, 3);
  if (!fault) fault = not_codes(instruments, group, groups, 4);
  if (!fault) fault = xr_not_amounts(instruments * SCENARIOS, risk, 5);
  if (!fault) fault = xr_not_amounts(instruments, delta, 6);
  if (!fault) fault = xr_outside(instruments, short_minimum, 0.0, XR_LEVEL_MAX, 7);
  if (!fault) fault = xr_not_amounts(instruments, option_value, 8);
  return fault;
}

int64_t xr_margin_portfolio(int64_t accounts, int64_t instruments, int64_t groups, const double *position,
                            const int64_t *group, const double *risk, const double *delta, const double *short_minimum,
                            const double *option_value, int64_t spreads, const int64_t *first, const int64_t *second,
                            const double *first_ratio, const double *second_ratio, const int8_t *same_side,
                            const double *credit_rate, double *scan, double *credit, double *requirement,
                            double *scratch) {
  int64_t fault = check(accounts, instruments, groups, position, group, risk, delta, short_minimum, option_value);
  if (!fault && spreads < 0) fault = xr_fault(xr_refuse(XR_OUT_OF_RANGE, 9), 0);
  if (!fault) fault = not_codes(spreads, first, groups, 10);
  if (!fault) fault = not_codes(spreads, second, groups, 11);
  if (!fault) fault = xr_outside(spreads, first_ratio, XR_LEVEL_MIN, XR_LEVEL_MAX, 12);
  if (!fault) fault = xr_outside(spreads, second_ratio, XR_LEVEL_MIN, XR_LEVEL_MAX, 13);
  for (int64_t i = 0; !fault && i < spreads; i++)
    if (same_side[i] < 0 || same_side[i] > 1) fault = xr_fault(xr_refuse(XR_NOT_A_CODE, 14), i);
  if (!fault) fault = xr_outside(spreads, credit_rate, 0.0, 1.0, 15);
  if (fault) return fault;
  account here;
  here.loss = scratch;
  here.delta = scratch + SCENARIOS * groups;
  here.left = here.delta + groups;
  here.price_risk = here.left + groups;
  here.minimum = here.price_risk + groups;
  for (int64_t row = 0; row < accounts; row++) {
    double option_net = 0.0, total = 0.0;
    for (int64_t i = 0; i < 20 * groups; i++) scratch[i] = 0.0;
    for (int64_t i = 0; i < instruments; i++) {
      const double units = position[row * instruments + i];
      double *loss = here.loss + group[i] * SCENARIOS;
      for (int64_t k = 0; k < SCENARIOS; k++) loss[k] += units * risk[i * SCENARIOS + k];
      here.delta[group[i]] += units * delta[i];
      here.minimum[group[i]] += fmax(0.0, -units) * short_minimum[i];
      option_net += units * option_value[i];
    }
    double *scanned = scan + row * groups, *credited = credit + row * groups;
    for (int64_t g = 0; g < groups; g++) {
      scanned[g] = scanning_risk(here.loss + g * SCENARIOS, &here.price_risk[g]);
      here.left[g] = here.delta[g];
      credited[g] = 0.0;
    }
    for (int64_t s = 0; s < spreads; s++) {
      const int64_t a = first[s], b = second[s];
      const double one = here.left[a], other = same_side[s] ? here.left[b] : -here.left[b];
      if (a == b || !((one > 0.0 && other > 0.0) || (one < 0.0 && other < 0.0))) continue;
      const double formed = fmin(fabs(one) / first_ratio[s], fabs(other) / second_ratio[s]);
      const double used_a = fmin(fabs(one), formed * first_ratio[s]);
      const double used_b = fmin(fabs(other), formed * second_ratio[s]);
      credited[a] += credit_rate[s] * here.price_risk[a] * (used_a / fabs(here.delta[a]));
      credited[b] += credit_rate[s] * here.price_risk[b] * (used_b / fabs(here.delta[b]));
      here.left[a] -= copysign(used_a, here.left[a]);
      here.left[b] -= copysign(used_b, here.left[b]);
    }
    for (int64_t g = 0; g < groups; g++) total += fmax(fmax(0.0, scanned[g] - credited[g]), here.minimum[g]);
    requirement[row] = fmax(0.0, total - option_net);
  }
  return 0;
}

int64_t xr_margin_tiered(int64_t count, const double *notional, const int64_t *table, int64_t tables, int64_t tiers,
                         const double *bound, const double *rate, double *margin) {
  if (count < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  int64_t fault = xr_not_amounts(count, notional, 1);
  if (!fault) fault = not_codes(count, table, tables, 2);
  if (!fault && tiers < 1) fault = xr_fault(xr_refuse(XR_TOO_FEW, 4), 0);
  if (!fault) fault = xr_outside(tables * tiers, bound, 0.0, XR_LEVEL_MAX, 5);
  for (int64_t i = 0; !fault && i < tables * tiers; i++) {
    if (i % tiers == 0 && bound[i] != 0.0) fault = xr_fault(xr_refuse(XR_INCONSISTENT, 5), i);
    if (!fault && i % tiers && !(bound[i] > bound[i - 1])) fault = xr_fault(xr_refuse(XR_NOT_ASCENDING, 5), i);
  }
  if (!fault) fault = xr_outside(tables * tiers, rate, 0.0, 1.0, 6);
  if (fault) return fault;
  for (int64_t i = 0; i < count; i++) {
    const double *from = bound + table[i] * tiers, *part = rate + table[i] * tiers, amount = fabs(notional[i]);
    double sum = 0.0;
    for (int64_t k = 0; k < tiers && amount > from[k]; k++) {
      const double to = k + 1 < tiers ? fmin(amount, from[k + 1]) : amount;
      sum += part[k] * (to - from[k]);
    }
    margin[i] = sum;
  }
  return 0;
}
