/* Value at risk and expected shortfall: see include/xr/var.h. */
#include "xr/var.h"

#include "tables.h"
#include "tail.h"

typedef struct {
  double var, es, es_error;
} measured;

/* Expected shortfall is the mean of the worst share 1 - p of the distribution, where the outcome on the border counts with
   the part of it that is inside (Acerbi and Tasche 2002, definition 2.6): coherent for every n, whatever the quantile's
   convention. Its standard error is that of Manistre and Hancock (2005): tail variance, and the uncertainty of
   where the tail begins. */
static measured plain(int64_t count, const xr_outcome *worst, double confidence, int convention) {
  int64_t rank;
  double part;
  xr_quantile_place(count, confidence, convention, &rank, &part);
  const double var = xr_quantile_at(count, worst, rank, part);
  const double tail = xr_near_integer((double)count * (1.0 - confidence), (double)count);
  const int64_t whole = (int64_t)floor(tail);
  double sum = 0.0;
  for (int64_t i = 0; i < whole; i++) sum += worst[i].loss;
  if (tail > (double)whole) sum += (tail - (double)whole) * worst[whole].loss;
  const double es = sum / tail;
  double square = 0.0;
  for (int64_t i = 0; i < whole; i++) square += (worst[i].loss - es) * (worst[i].loss - es);
  if (tail > (double)whole) square += (tail - (double)whole) * (worst[whole].loss - es) * (worst[whole].loss - es);
  const double beyond = es - var;
  return (measured){var, es, sqrt((square / tail + confidence * beyond * beyond) / tail)};
}

/* The same with weights. Returns 0 if the sorted outcomes end before the tail does. */
static int weighted(int64_t kept, const xr_outcome *worst, const double *weight, double total, int64_t count,
                    double confidence, int convention, measured *result) {
  const double fuzz = 4.0 * DBL_EPSILON * (double)count;
  const double tail = 1.0 - confidence;
  double reached = 0.0, sum = 0.0, before = worst[0].loss;
  for (int64_t i = 0; i < kept; i++) {
    const double here = weight[worst[i].scenario] / total, loss = worst[i].loss;
    if (here == 0.0) continue;
    const double inside = fmin(here, fmax(0.0, tail - reached));
    sum += inside * loss;
    const double after = reached + here;
    const int ends = convention == XR_INVERTED_CDF ? after > tail + fuzz : after >= tail - fuzz;
    if (ends) {
      /* Before the first outcome there is nothing to interpolate from: the worst loss stands, nothing is extrapolated. */
      const double step = reached == 0.0 ? 1.0 : fmin(1.0, (tail - reached) / here);
      result->var = convention == XR_TAIL_INTERPOLATED ? before + (loss - before) * step : loss;
      result->es = sum / fmin(tail, after);
      return 1;
    }
    reached = after;
    before = loss;
  }
  if (kept < count) return 0;
  result->var = before; /* rounding left the sum of all weights below the tail's end */
  result->es = sum / reached;
  return 1;
}

static double lowest(int64_t levels, const double *confidence) {
  double low = 1.0;
  for (int64_t i = 0; i < levels; i++) low = fmin(low, confidence[i]);
  return low;
}

static int64_t not_weights(int64_t scenarios, const double *weight) {
  const int64_t fault = xr_outside(scenarios, weight, 0.0, XR_LEVEL_MAX, 3);
  int some = 0;
  for (int64_t i = 0; i < scenarios; i++) some |= weight[i] > 0.0;
  return fault || some ? fault : xr_fault(xr_refuse(XR_OUT_OF_RANGE, 3), 0);
}

static int64_t check(int64_t portfolios, int64_t scenarios, const double *pnl, const double *weight, int64_t levels,
                     const double *confidence, int convention) {
  if (portfolios < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (scenarios < 2) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  int64_t fault = xr_not_amounts(portfolios * scenarios, pnl, 2);
  if (!fault && weight) fault = not_weights(scenarios, weight);
  if (!fault) fault = xr_not_confidences(levels, confidence, 5);
  if (fault) return fault;
  if (convention < 0 || convention > XR_TAIL_INTERPOLATED) return xr_fault(xr_refuse(XR_NOT_A_CODE, 6), 0);
  if (weight && convention > XR_INVERTED_CDF && convention < XR_TAIL_INTERPOLATED)
    return xr_fault(xr_refuse(XR_INCONSISTENT, 6), 0);
  return 0;
}

int64_t xr_var_measure(int64_t portfolios, int64_t scenarios, const double *pnl, const double *weight, int64_t levels,
                       const double *confidence, int8_t convention, double *var, double *es, double *es_error,
                       double *scratch) {
  const int64_t fault = check(portfolios, scenarios, pnl, weight, levels, confidence, convention);
  if (fault) return fault;
  double total = 0.0;
  for (int64_t i = 0; weight && i < scenarios; i++) total += weight[i];
  /* The order statistics that any convention takes lie within two ranks of n(1 - p). With weights the number is a guess. */
  const double share = (1.0 - lowest(levels, confidence)) * (double)scenarios;
  const int64_t wanted = (int64_t)fmin((double)scenarios, ceil(weight ? 2.0 * share : share) + 3.0);
  xr_outcome *buffer = (xr_outcome *)(void *)scratch;
  for (int64_t row = 0; row < portfolios; row++) {
    const double *here = pnl + row * scenarios;
    int64_t kept;
    const xr_outcome *worst = xr_worst_first(scenarios, here, wanted, &kept, buffer);
    for (int64_t i = 0; i < levels; i++) {
      measured result = {0.0, 0.0, 0.0};
      if (!weight) {
        result = plain(scenarios, worst, confidence[i], convention);
      } else if (!weighted(kept, worst, weight, total, scenarios, confidence[i], convention, &result)) {
        worst = xr_worst_first(scenarios, here, scenarios, &kept, buffer);
        weighted(kept, worst, weight, total, scenarios, confidence[i], convention, &result);
      }
      var[row * levels + i] = result.var;
      es[row * levels + i] = result.es;
      if (es_error && !weight) es_error[row * levels + i] = result.es_error;
    }
  }
  return 0;
}

int64_t xr_var_worst(int64_t portfolios, int64_t scenarios, const double *pnl, int64_t worst, double *loss,
                     int64_t *scenario, double *scratch) {
  if (portfolios < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (scenarios < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  const int64_t fault = xr_not_amounts(portfolios * scenarios, pnl, 2);
  if (fault) return fault;
  if (worst < 1 || worst > scenarios) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 3), 0);
  for (int64_t row = 0; row < portfolios; row++) {
    int64_t kept;
    const xr_outcome *found =
        xr_worst_first(scenarios, pnl + row * scenarios, worst, &kept, (xr_outcome *)(void *)scratch);
    for (int64_t i = 0; i < worst; i++) {
      loss[row * worst + i] = found[i].loss;
      scenario[row * worst + i] = found[i].scenario;
    }
  }
  return 0;
}

int64_t xr_var_age_weight(int64_t scenarios, double decay, double *weight) {
  if (scenarios < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 0), 0);
  if (!((decay >= 0.5) & (decay <= 1.0))) return xr_fault(xr_refuse_number(decay, 1), 0);
  double total = 0.0, each = 1.0;
  for (int64_t i = scenarios - 1; i >= 0; i--, each *= decay) total += weight[i] = each;
  for (int64_t i = 0; i < scenarios; i++) weight[i] /= total;
  return 0;
}
