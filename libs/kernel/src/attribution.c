/* Contributions to risk: see include/xr/attribution.h. */
#include "xr/attribution.h"

#include "covariance.h"
#include "tail.h"
#include "xr/var.h"

/* The loss of a scenario, and the scenarios beyond it, are sums over positions; so is any weighted mean of them. Value at
   risk is homogeneous of degree one, and where the distribution has a density the derivative to a position's size is the mean
   of the position's loss given that the portfolio's is the quantile (Tasche 1999, Gouriéroux, Laurent and Scaillet 2000). A
   sample has one scenario there; the window estimates the mean from its neighbours in rank (Epperlein and Smillie 2006). */
typedef struct {
  int64_t place, reach; /* of the quantile's scenario, from the worst; of the window, both sides */
  int64_t whole;        /* scenarios wholly in the tail */
  double tail, norm;    /* number of scenarios in the tail; sum of the window's weights */
} shape;

static shape shape_of(int64_t count, double confidence, int convention, int64_t window) {
  int64_t rank;
  double part;
  xr_quantile_place(count, confidence, convention, &rank, &part);
  shape found;
  found.place = count - rank - (part > 0.0);
  found.reach = window;
  if (found.reach > found.place) found.reach = found.place;
  if (found.reach > count - 1 - found.place) found.reach = count - 1 - found.place;
  found.tail = xr_near_integer((double)count * (1.0 - confidence), (double)count);
  found.whole = (int64_t)floor(found.tail);
  found.norm = (double)(found.reach + 1) * (double)(found.reach + 1);
  return found;
}

/* The weight of the n-th worst scenario in the smoothed quantile. */
static inline double near_quantile(const shape *at, int64_t n) {
  const int64_t away = n > at->place ? n - at->place : at->place - n;
  return away <= at->reach ? (double)(at->reach + 1 - away) / at->norm : 0.0;
}

/* And in the tail's mean. */
static inline double in_tail(const shape *at, int64_t n) {
  return (n < at->whole ? 1.0 : n == at->whole ? at->tail - (double)at->whole : 0.0) / at->tail;
}

static void measure(const shape *at, const xr_outcome *worst, double *var, double *smoothed, double *es) {
  const int64_t last = at->place + at->reach > at->whole ? at->place + at->reach : at->whole;
  double near = 0.0, tail = 0.0;
  for (int64_t n = 0; n <= last; n++) {
    if (near_quantile(at, n) > 0.0) near += near_quantile(at, n) * worst[n].loss;
    if (in_tail(at, n) > 0.0) tail += in_tail(at, n) * worst[n].loss;
  }
  *var = worst[at->place].loss;
  *smoothed = near;
  *es = tail;
}

int64_t xr_attribution_historical(int64_t positions, int64_t scenarios, const double *pnl, double confidence,
                                  int8_t convention, int64_t window, double *component_var, double *component_es,
                                  double *incremental_var, double *incremental_es, double *total, double *scratch) {
  if (positions < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (scenarios < 2) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  int64_t fault = xr_not_amounts(positions * scenarios, pnl, 2);
  if (!fault) fault = xr_not_confidences(1, &confidence, 3);
  if (fault) return fault;
  if (convention < 0 || convention > XR_INVERTED_CDF) return xr_fault(xr_refuse(XR_NOT_A_CODE, 4), 0);
  if (window < 0 || window > scenarios) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 5), 0);
  double *whole = scratch, *rest = scratch + scenarios;
  xr_outcome *buffer = (xr_outcome *)(void *)(scratch + 2 * scenarios);
  for (int64_t j = 0; j < scenarios; j++) whole[j] = 0.0;
  for (int64_t i = 0; i < positions; i++)
    for (int64_t j = 0; j < scenarios; j++) whole[j] += pnl[i * scenarios + j];
  const shape at = shape_of(scenarios, confidence, convention, window);
  const int64_t last = at.place + at.reach > at.whole ? at.place + at.reach : at.whole;
  const int64_t wanted = last + 1 < scenarios ? last + 1 : scenarios;
  int64_t kept;
  const xr_outcome *worst = xr_worst_first(scenarios, whole, wanted, &kept, buffer);
  measure(&at, worst, &total[0], &total[1], &total[2]);
  for (int64_t i = 0; i < positions; i++) {
    const double *own = pnl + i * scenarios;
    component_var[i] = component_es[i] = 0.0;
    for (int64_t n = 0; n < wanted; n++) {
      component_var[i] -= near_quantile(&at, n) * own[worst[n].scenario];
      component_es[i] -= in_tail(&at, n) * own[worst[n].scenario];
    }
  }
  for (int64_t i = 0; i < positions; i++) {
    double var, smoothed, es;
    for (int64_t j = 0; j < scenarios; j++) rest[j] = whole[j] - pnl[i * scenarios + j];
    measure(&at, xr_worst_first(scenarios, rest, wanted, &kept, buffer), &var, &smoothed, &es);
    incremental_var[i] = total[0] - var;
    incremental_es[i] = total[2] - es;
  }
  return 0;
}

int64_t xr_attribution_normal(int64_t positions, int64_t factors, const double *delta, const double *covariance,
                              double confidence, double *component_var, double *component_es, double *incremental_var,
                              double *incremental_es, double *total, double *scratch) {
  if (positions < 0) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 0), 0);
  if (factors < 1) return xr_fault(xr_refuse(XR_TOO_FEW, 1), 0);
  int64_t fault = xr_not_amounts(positions * factors, delta, 2);
  if (!fault) fault = xr_not_covariance(factors, covariance, 3, scratch);
  if (!fault) fault = xr_not_confidences(1, &confidence, 4);
  if (fault) return fault;
  double *sum = scratch + factors * factors, *moved = sum + factors;
  for (int64_t j = 0; j < factors; j++) sum[j] = 0.0;
  for (int64_t i = 0; i < positions; i++)
    for (int64_t j = 0; j < factors; j++) sum[j] += delta[i * factors + j];
  xr_apply(factors, covariance, sum, moved);
  const double deviation = sqrt(fmax(0.0, xr_dot(factors, sum, moved)));
  const double z = xr_normal_tail(confidence), mean = xr_npdf(z) / (1.0 - confidence);
  total[0] = z * deviation;
  total[1] = mean * deviation;
  for (int64_t i = 0; i < positions; i++) {
    const double *own = delta + i * factors;
    const double share = deviation > 0.0 ? xr_dot(factors, own, moved) / deviation : 0.0;
    component_var[i] = z * share;
    component_es[i] = mean * share;
  }
  for (int64_t i = 0; i < positions; i++) {
    double *rest = scratch; /* the elimination is done with */
    for (int64_t j = 0; j < factors; j++) rest[j] = sum[j] - delta[i * factors + j];
    xr_apply(factors, covariance, rest, moved);
    const double without = sqrt(fmax(0.0, xr_dot(factors, rest, moved)));
    incremental_var[i] = z * (deviation - without);
    incremental_es[i] = mean * (deviation - without);
  }
  return 0;
}
