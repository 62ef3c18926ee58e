/* Bootstrapping: see include/xr/bootstrap.h. */
#include "xr/bootstrap.h"

#include "curve_pieces.h"
#include "ragged.h"

#define STEPS_MAX 60       /* Newton's, for one instrument */
#define ROUNDS_MAX 200     /* over all instruments, where a knot moves more than its own span */
#define SLOPE_MAX 50.0     /* of a forward rate */
#define STEP_DONE 1e-14    /* of an exponent; the step that is taken last leaves its square */
#define ROUND_DONE 5e-14

typedef struct {
  const double *begin, *end, *payment, *accrual;
  int64_t first, last; /* periods of one instrument: first to last - 1 */
} Legs;

/* What an instrument is worth to the one who pays the fixed rate, and its derivative by the slope of the piece that begins
   at since, if earlier pieces stay: an exponent at time t then grows by t - since. */
static double value(const Legs *legs, double rate, const double *start, const double *c, int64_t pieces, double since,
                    double *derivative) {
  double sum = 0.0, slope = 0.0;
  for (int64_t i = legs->first; i < legs->last; i++) {
    const double growth = exp(xr_exponent(start, c, pieces, legs->end[i]) - xr_exponent(start, c, pieces, legs->begin[i]));
    const double paid = exp(-xr_exponent(start, c, pieces, legs->payment[i]));
    const double net = growth - 1.0 - rate * legs->accrual[i];
    const double span = fmax(legs->end[i] - since, 0.0) - fmax(legs->begin[i] - since, 0.0);
    sum += net * paid;
    slope += (growth * span - net * fmax(legs->payment[i] - since, 0.0)) * paid;
  }
  *derivative = slope;
  return sum;
}

/* One instrument on a curve whose pieces before its own are known: Newton on the flat forward rate of its span. */
static int32_t solve_one(const Legs *legs, double rate, double *start, double *c, int64_t k) {
  double *piece = c + 4 * k;
  const double since = start[k], span = start[k + 1] - since;
  piece[1] = k ? c[4 * (k - 1) + 1] : rate;
  piece[2] = piece[3] = 0.0;
  for (int step = 0; step < STEPS_MAX; step++) {
    double derivative;
    const double worth = value(legs, rate, start, c, k + 1, since, &derivative);
    double by = worth / derivative;
    if (!isfinite(by)) return XR_NO_SOLUTION;
    by = fmin(fmax(by, -1.0 / span), 1.0 / span); /* a step of one in the exponent: far beyond it Newton overshoots */
    piece[1] -= by;
    if (!(fabs(piece[1]) <= SLOPE_MAX)) return XR_NO_SOLUTION;
    if (fabs(by) * span <= STEP_DONE) {
      c[4 * (k + 1)] = piece[0] + piece[1] * span;
      return fabs(c[4 * (k + 1)]) <= XR_EXPONENT_MAX ? XR_OK : XR_NO_SOLUTION;
    }
  }
  return XR_NO_SOLUTION;
}

/* All instruments at once on a curve whose pieces depend on all knots: each round corrects every knot by its own
   instrument's Newton step with the derivative of a straight span. Instruments depend on earlier knots strongly but on
   later ones only through slopes, so that the rounds contract quickly. */
static int32_t settle(const Legs *legs, const int64_t *offsets, const double *rate, int64_t n, int8_t interpolation,
                      double *start, double *c, double *step) {
  for (int round = 0; round < ROUNDS_MAX; round++) {
    xr_fill_pieces(start, c, n, interpolation);
    double most = 0.0;
    for (int64_t k = 0; k < n; k++) {
      Legs mine = *legs;
      mine.first = offsets[k], mine.last = offsets[k + 1];
      double derivative;
      const double worth = value(&mine, rate[k], start, c, n + 1, start[k], &derivative);
      step[k] = -worth / derivative * (start[k + 1] - start[k]);
      if (!isfinite(step[k])) return XR_NOT_CONVERGED;
      most = fmax(most, fabs(step[k]));
    }
    for (int64_t k = 0; k < n; k++) {
      c[4 * (k + 1)] += step[k];
      if (!(fabs(c[4 * (k + 1)]) <= XR_EXPONENT_MAX)) return XR_NO_SOLUTION;
    }
    if (most <= ROUND_DONE) return XR_OK;
  }
  return XR_NOT_CONVERGED;
}

static int64_t check_legs(int64_t instruments, const int64_t *offsets, const double *begin, const double *end,
                          const double *payment, const double *accrual, int32_t place) {
  const int64_t fault = xr_check_rows(offsets, instruments, 1, place);
  if (fault) return fault;
  const int64_t periods = offsets[instruments];
  XR_REQUIRE_ALL(XR_IS_TIME, begin, periods, place + 1);
  XR_REQUIRE_ALL(XR_IS_TIME, end, periods, place + 2);
  XR_REQUIRE_ALL(XR_IS_TIME, payment, periods, place + 3);
  XR_REQUIRE_ALL(XR_IS_SPAN, accrual, periods, place + 4);
  for (int64_t i = 0; i < periods; i++)
    if (!(end[i] - begin[i] >= XR_KNOT_GAP)) return xr_fault(xr_refuse(XR_NOT_ASCENDING, place + 2), i);
  for (int64_t i = 0; i < periods; i++)
    if (!(payment[i] >= end[i])) return xr_fault(xr_refuse(XR_NOT_ASCENDING, place + 3), i);
  return 0;
}

int64_t xr_bootstrap(int64_t scenarios, int64_t instruments, const int64_t *offsets, const double *begin,
                     const double *end, const double *payment, const double *accrual, const double *rate,
                     int8_t interpolation, double *knot_time, double *discount, double *scratch, uint8_t *status) {
  const int64_t fault = check_legs(instruments, offsets, begin, end, payment, accrual, 2), n = instruments;
  if (fault) return fault;
  XR_REQUIRE_ALL_CODES(&interpolation, 3, 1, 8);
  double *start = scratch, *step = scratch + n + 1, *c = scratch + 2 * n + 1;
  start[0] = 0.0;
  for (int64_t k = 0; k < n; k++) {
    knot_time[k] = 0.0;
    for (int64_t i = offsets[k]; i < offsets[k + 1]; i++) knot_time[k] = fmax(knot_time[k], payment[i]);
    start[k + 1] = knot_time[k];
    if (start[k + 1] - start[k] < XR_KNOT_GAP) return xr_fault(xr_refuse(XR_NOT_ASCENDING, 2), k);
  }
  Legs legs = {begin, end, payment, accrual, 0, 0};
  for (int64_t j = 0; j < scenarios; j++) {
    const double *mine = rate + j * n;
    int64_t at = 0;
    int32_t reason = XR_OK;
    c[0] = 0.0;
    for (int64_t k = 0; k < n && !reason; k++) {
      legs.first = offsets[k], legs.last = offsets[k + 1], at = k;
      reason = XR_IS_RATE(mine[k]) ? solve_one(&legs, mine[k], start, c, k) : xr_refuse_number(mine[k], 0) >> 8;
    }
    if (!reason && interpolation != XR_LOG_LINEAR && n > 1) {
      reason = settle(&legs, offsets, mine, n, interpolation, start, c, step);
      at = 0;
    }
    if (reason && !status) return xr_fault(xr_refuse(reason, 7), j * n + at);
    if (status) status[j] = (uint8_t)reason;
    for (int64_t k = 0; k < n; k++) discount[j * n + k] = reason ? NAN : exp(-c[4 * (k + 1)]);
  }
  return 0;
}

int64_t xr_bootstrap_par_rate(int64_t curves, const int64_t *curve_offsets, const double *start,
                              const double *coefficient, int64_t instruments, const int64_t *offsets,
                              const double *begin, const double *end, const double *payment, const double *accrual,
                              double *par_rate) {
  const int64_t fault = check_legs(instruments, offsets, begin, end, payment, accrual, 5);
  if (fault) return fault;
  for (int64_t j = 0; j < curves; j++) {
    const int64_t first = curve_offsets[j] + j, pieces = curve_offsets[j + 1] - curve_offsets[j] + 1;
    for (int64_t k = 0; k < instruments; k++) {
      double earned = 0.0, annuity = 0.0;
      for (int64_t i = offsets[k]; i < offsets[k + 1]; i++) {
        const double *s = start + first, *c = coefficient + 4 * first;
        const double growth = xr_exponent(s, c, pieces, end[i]) - xr_exponent(s, c, pieces, begin[i]);
        const double paid = exp(-xr_exponent(s, c, pieces, payment[i]));
        earned += expm1(growth) * paid;
        annuity += accrual[i] * paid;
      }
      par_rate[j * instruments + k] = earned / annuity;
      if (!isfinite(par_rate[j * instruments + k])) return xr_fault(xr_refuse(XR_NO_SOLUTION, 7), offsets[k + 1] - 1);
    }
  }
  return 0;
}
