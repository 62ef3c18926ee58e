/* Swap points: see include/xr/swap_points.h. */
#include "xr/swap_points.h"

#include "curve_pieces.h"
#include "ragged.h"

static inline xr_refusal refuse_parity(double spot, double base, double counter, double base_spot, double counter_spot,
                                       double pip) {
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 1);
  XR_REQUIRE(XR_IS_LEVEL(base), base, 2);
  XR_REQUIRE(XR_IS_LEVEL(counter), counter, 3);
  XR_REQUIRE(XR_IS_LEVEL(base_spot), base_spot, 4);
  XR_REQUIRE(XR_IS_LEVEL(counter_spot), counter_spot, 5);
  XR_REQUIRE(XR_IS_LEVEL(pip), pip, 6);
  return 0;
}

/* Quotients of neighbours first: each is near one, and what is left of them is exact where forward and spot are close. */
int64_t xr_swap_points_parity(int64_t count, const double *spot, const double *base, const double *counter,
                              const double *base_spot, const double *counter_spot, const double *pip,
                              double *outright, double *points, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    xr_refusal refusal = refuse_parity(spot[i], base[i], counter[i], base_spot[i], counter_spot[i], pip[i]);
    const double yield = log(base[i] / base_spot[i]) - log(counter[i] / counter_spot[i]);
    double forward = spot[i] * exp(yield), above = spot[i] * expm1(yield) / pip[i];
    if (!refusal && !(XR_IS_LEVEL(forward) && XR_IS_AMOUNT(above))) refusal = xr_refuse(XR_NO_SOLUTION, 2);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    outright[i] = refusal ? NAN : forward;
    points[i] = refusal ? NAN : above;
  }
  return 0;
}

int64_t xr_swap_points_outright(int64_t pairs, const int64_t *offsets, const int8_t *leg, const double *bid,
                                const double *offer, const double *spot_bid, const double *spot_offer,
                                const double *pip, double *outright_bid, double *outright_offer) {
  const int64_t fault = xr_check_rows(offsets, pairs, 1, 1), count = offsets[pairs];
  if (fault) return fault;
  XR_REQUIRE_ALL_CODES(leg, 3, count, 2);
  XR_REQUIRE_ALL(XR_IS_AMOUNT, bid, count, 3);
  XR_REQUIRE_ALL(XR_IS_AMOUNT, offer, count, 4);
  XR_REQUIRE_ALL(XR_IS_LEVEL, spot_bid, pairs, 5);
  XR_REQUIRE_ALL(XR_IS_LEVEL, spot_offer, pairs, 6);
  XR_REQUIRE_ALL(XR_IS_LEVEL, pip, pairs, 7);
  for (int64_t i = 0; i < count; i++)
    if (offer[i] < bid[i]) return xr_fault(xr_refuse(XR_INCONSISTENT, 4), i);
  for (int64_t k = 0; k < pairs; k++)
    if (spot_offer[k] < spot_bid[k]) return xr_fault(xr_refuse(XR_INCONSISTENT, 6), k);
  for (int64_t k = 0; k < pairs; k++) {
    int64_t into_spot = -1, into_tomorrow = -1;
    for (int64_t i = offsets[k]; i < offsets[k + 1]; i++) {
      if (leg[i] == XR_FROM_SPOT) continue;
      int64_t *place = leg[i] == XR_INTO_SPOT ? &into_spot : &into_tomorrow;
      if (*place >= 0) return xr_fault(xr_refuse(XR_INCONSISTENT, 2), i);
      *place = i;
    }
    if (into_tomorrow >= 0 && into_spot < 0) return xr_fault(xr_refuse(XR_INCONSISTENT, 2), into_tomorrow);
  }
  for (int64_t k = 0; k < pairs; k++) {
    double next_bid = 0.0, next_offer = 0.0; /* of the points from tomorrow to spot */
    for (int64_t i = offsets[k]; i < offsets[k + 1]; i++)
      if (leg[i] == XR_INTO_SPOT) next_bid = bid[i], next_offer = offer[i];
    for (int64_t i = offsets[k]; i < offsets[k + 1]; i++) {
      const double low = leg[i] == XR_FROM_SPOT ? bid[i] : -(leg[i] == XR_INTO_TOMORROW ? offer[i] + next_offer : offer[i]);
      const double high = leg[i] == XR_FROM_SPOT ? offer[i] : -(leg[i] == XR_INTO_TOMORROW ? bid[i] + next_bid : bid[i]);
      outright_bid[i] = spot_bid[k] + low * pip[k];
      outright_offer[i] = spot_offer[k] + high * pip[k];
      if (!(XR_IS_LEVEL(outright_bid[i]) && XR_IS_LEVEL(outright_offer[i])))
        return xr_fault(xr_refuse(XR_NO_SOLUTION, 3), i);
    }
  }
  return 0;
}

static int64_t check_times(int64_t rows, const int64_t *offsets, const double *time, int64_t fewest, int32_t place) {
  const int64_t fault = xr_check_rows(offsets, rows, fewest, place);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_TIME, time, offsets[rows], place + 1);
  for (int64_t k = 0; k < rows; k++)
    for (int64_t i = offsets[k] + 1; i < offsets[k + 1]; i++)
      if (!(time[i] - time[i - 1] >= XR_KNOT_GAP)) return xr_fault(xr_refuse(XR_NOT_ASCENDING, place + 1), i);
  return 0;
}

/* Parity at every date: counter(t) = base(t) / forward(t) times one number for all dates, and base(t) = counter(t) *
   forward(t) times one. That number makes the discount factor at time 0 one: at a date there, or at the end of a constant
   forward rate from the second date back over the first. */
int64_t xr_swap_points_implied(int64_t curves, const int64_t *offsets, const double *time, const double *outright,
                               const double *known, const int8_t *known_is_base, double *implied) {
  const int64_t fault = check_times(curves, offsets, time, 2, 1);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_LEVEL, outright, offsets[curves], 3);
  XR_REQUIRE_ALL(XR_IS_LEVEL, known, offsets[curves], 4);
  XR_REQUIRE_ALL_CODES(known_is_base, 2, curves, 5);
  for (int64_t k = 0; k < curves; k++) {
    const int64_t first = offsets[k];
    if (time[first] == 0.0 && known[first] != 1.0) return xr_fault(xr_refuse(XR_INCONSISTENT, 4), first);
    const double sign = known_is_base[k] ? -1.0 : 1.0;
    const double at = log(known[first]) + sign * log(outright[first]);
    const double next = log(known[first + 1]) + sign * log(outright[first + 1]);
    const double origin = at - (next - at) * (time[first] / (time[first + 1] - time[first]));
    for (int64_t i = first; i < offsets[k + 1]; i++) {
      implied[i] = exp(log(known[i]) + sign * log(outright[i]) - origin);
      if (!XR_IS_LEVEL(implied[i])) return xr_fault(xr_refuse(XR_NO_SOLUTION, 3), i);
    }
  }
  return 0;
}

static double between(const double *t, const double *rate, int64_t n, double time, double spot, double spot_time,
                      int8_t method) {
  int64_t j = xr_piece(t, n, time);
  if (j == n - 1) return rate[j];
  const double weight = (time - t[j]) / (t[j + 1] - t[j]);
  if (method == XR_BY_POINTS) return rate[j] + weight * (rate[j + 1] - rate[j]);
  /* next to spot, where the rate difference is 0 / 0, the quoted date's own is taken */
  const double a = t[j] == spot_time ? NAN : log(rate[j] / spot) / (t[j] - spot_time);
  const double b = t[j + 1] == spot_time ? NAN : log(rate[j + 1] / spot) / (t[j + 1] - spot_time);
  const double difference = t[j] == spot_time ? b : t[j + 1] == spot_time ? a : a + weight * (b - a);
  return spot * exp(difference * (time - spot_time));
}

int64_t xr_swap_points_broken(int64_t count, const int64_t *pair, const double *time, int64_t pairs,
                              const int64_t *offsets, const double *quote_time, const double *outright,
                              const double *spot_time, int8_t method, double *forward, uint8_t *status) {
  const int64_t fault = check_times(pairs, offsets, quote_time, 2, 4);
  if (fault) return fault;
  XR_REQUIRE_ALL(XR_IS_LEVEL, outright, offsets[pairs], 6);
  for (int64_t k = 0; k < pairs; k++) {
    const int64_t j = offsets[k] + xr_piece(quote_time + offsets[k], offsets[k + 1] - offsets[k], spot_time[k]);
    if (quote_time[j] != spot_time[k]) return xr_fault(xr_refuse(XR_INCONSISTENT, 7), k);
  }
  XR_REQUIRE_ALL_CODES(&method, 2, 1, 8);
  for (int64_t i = 0; i < count; i++) {
    xr_refusal refusal = 0;
    double result = NAN;
    const int64_t k = pair[i];
    if (k < 0 || k >= pairs) refusal = xr_refuse(XR_NOT_A_CODE, 1);
    else if (!XR_IS_TIME(time[i])) refusal = xr_refuse_number(time[i], 2);
    else if (time[i] < quote_time[offsets[k]] || time[i] > quote_time[offsets[k + 1] - 1])
      refusal = xr_refuse(XR_NO_SOLUTION, 2);
    else {
      const double *t = quote_time + offsets[k], *rate = outright + offsets[k];
      const int64_t n = offsets[k + 1] - offsets[k];
      result = between(t, rate, n, time[i], rate[xr_piece(t, n, spot_time[k])], spot_time[k], method);
    }
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    forward[i] = result;
  }
  return 0;
}

static inline xr_refusal refuse_cross(double first, double second, int8_t divide, double spot, double points,
                                      double pip) {
  XR_REQUIRE(XR_IS_LEVEL(first), first, 1);
  XR_REQUIRE(XR_IS_LEVEL(second), second, 2);
  XR_REQUIRE_CODE(divide, 2, 3);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 4);
  XR_REQUIRE(XR_IS_AMOUNT(points), points, 5);
  XR_REQUIRE(XR_IS_LEVEL(pip), pip, 6);
  return 0;
}

int64_t xr_swap_points_cross(int64_t count, const double *first, const double *second, const int8_t *divide,
                             const double *spot, const double *points, const double *pip, double *implied,
                             double *implied_points, double *residual, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    xr_refusal refusal = refuse_cross(first[i], second[i], divide[i], spot[i], points[i], pip[i]);
    const double forward = divide[i] ? first[i] / second[i] : first[i] * second[i];
    const double above = (forward - spot[i]) / pip[i];
    if (!refusal && !(XR_IS_LEVEL(forward) && XR_IS_AMOUNT(above))) refusal = xr_refuse(XR_NO_SOLUTION, 1);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    implied[i] = refusal ? NAN : forward;
    implied_points[i] = refusal ? NAN : above;
    residual[i] = refusal ? NAN : points[i] - above;
  }
  return 0;
}
