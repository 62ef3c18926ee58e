/* Options with two barriers: see include/xr/barrier.h. Ikeda and Kunitomo (1992) give the series of images for flat barriers,
   Pelsser (2000), "Pricing double barrier options using Laplace transforms", that of sines; corridor.h takes whichever
   converges at once. */
#include "xr/barrier.h"
#include "xr/digital.h"
#include "xr/touch.h"

#include "checks.h"
#include "claim.h"
#include "corridor.h"

static inline xr_refusal check_market(double time, double volatility, double domestic, double foreign, int32_t first) {
  XR_REQUIRE(XR_IS_TIME(time), time, first);
  XR_REQUIRE(XR_IS_VOLATILITY(volatility), volatility, first + 1);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, first + 2);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, first + 3);
  return 0;
}

/* Two barriers in order, and a payment at hit, if there is one, that the series can value. */
static inline xr_refusal check_corridor(double spot, double lower, double upper, double time, double volatility,
                                        double domestic, double foreign, int at_hit, int32_t upper_place,
                                        int32_t domestic_place) {
  if (!(lower < upper)) return xr_refuse(XR_INCONSISTENT, upper_place);
  if (!at_hit || spot <= lower || spot >= upper) return 0;
  const xr_market m = xr_market_of(spot, time, volatility, domestic, foreign);
  const double width = xr_log_ratio(upper, spot) / m.deviation - xr_log_ratio(lower, spot) / m.deviation;
  return xr_corridor_converges(m.n_counter, width, m.rate_time) ? 0 : xr_refuse(XR_NOT_CONVERGED, domestic_place);
}

static inline xr_refusal check(int8_t call, int8_t knock, double spot, double strike, double lower, double upper,
                               double rebate, double time, double volatility, double domestic, double foreign) {
  XR_REQUIRE_CODE(call, 2, 1);
  XR_REQUIRE_CODE(knock, 2, 2);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 3);
  XR_REQUIRE(XR_IS_LEVEL(strike), strike, 4);
  XR_REQUIRE(XR_IS_LEVEL(lower), lower, 5);
  XR_REQUIRE(XR_IS_LEVEL(upper), upper, 6);
  XR_REQUIRE(XR_IS_REBATE(rebate), rebate, 7);
  const xr_refusal market = check_market(time, volatility, domestic, foreign, 8);
  if (market) return market;
  return check_corridor(spot, lower, upper, time, volatility, domestic, foreign,
                        knock == XR_KNOCK_OUT && rebate != 0.0, 6, 10);
}

/* The option on paths that never left the corridor. */
static inline double surviving(const xr_market *m, int8_t call, double paid, double d, double u, xr_range at) {
  const double bought = m->base * xr_corridor_mass(m->n_base, d, u, at.low, at.high);
  const double sold = paid * xr_corridor_mass(m->n_counter, d, u, at.low, at.high);
  return call ? bought - sold : sold - bought;
}

/* The option on paths that left it: by images where they serve, so that a small premium keeps its digits. */
static inline double leaving(const xr_market *m, int8_t call, double paid, double d, double u, double k, xr_range at) {
  const xr_range below = xr_paying(call, k, -XR_FAR, d);
  const xr_range above = xr_paying(call, k, u, XR_FAR);
  const double outside = xr_image_claim(m, call, paid, 0.0, below) + xr_image_claim(m, call, paid, 0.0, above);
  if (!(at.low < at.high)) return outside;
  if ((u - d) * (u - d) < XR_SINES_BELOW)
    return outside + xr_image_claim(m, call, paid, 0.0, at) - surviving(m, call, paid, d, u, at);
  const double bought = m->base * xr_corridor_images(m->n_base, d, u, at.low, at.high);
  const double sold = paid * xr_corridor_images(m->n_counter, d, u, at.low, at.high);
  return outside - (call ? bought - sold : sold - bought);
}

static inline double premium(int8_t call, int8_t knock, double spot, double strike, double lower, double upper,
                             double rebate, double time, double volatility, double domestic, double foreign) {
  const xr_market m = xr_market_of(spot, time, volatility, domestic, foreign);
  const double k = xr_log_ratio(strike, spot) / m.deviation;
  const double paid = strike * m.counter;
  if (spot <= lower || spot >= upper)
    return knock == XR_KNOCK_OUT ? rebate
                                 : xr_image_claim(&m, call, paid, 0.0, xr_paying(call, k, -XR_FAR, XR_FAR));
  const double d = xr_log_ratio(lower, spot) / m.deviation;
  const double u = xr_log_ratio(upper, spot) / m.deviation;
  const xr_range at = xr_paying(call, k, d, u);
  if (knock == XR_KNOCK_OUT) {
    const double option = xr_not_negative(surviving(&m, call, paid, d, u, at));
    if (rebate == 0.0) return option;
    return option + rebate * (xr_corridor_passage(m.n_counter, u, d, m.rate_time) +
                              xr_corridor_passage(m.n_counter, d, u, m.rate_time));
  }
  const double option = xr_not_negative(leaving(&m, call, paid, d, u, k, at));
  return rebate == 0.0 ? option : option + rebate * m.counter * xr_corridor_mass(m.n_counter, d, u, d, u);
}

int64_t xr_double_barrier_price(int64_t count, const int8_t *put_or_call, const int8_t *knock, const double *spot,
                                const double *strike, const double *lower, const double *upper, const double *rebate,
                                const double *time, const double *volatility, const double *domestic_rate,
                                const double *foreign_rate, double *price, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check(put_or_call[i], knock[i], spot[i], strike[i], lower[i], upper[i], rebate[i],
                                     time[i], volatility[i], domestic_rate[i], foreign_rate[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    price[i] = refusal ? NAN
                       : premium(put_or_call[i], knock[i], spot[i], strike[i], lower[i], upper[i], rebate[i], time[i],
                                 volatility[i], domestic_rate[i], foreign_rate[i]);
  }
  return 0;
}

static inline xr_refusal check_touch(int8_t type, int8_t payout, double spot, double lower, double upper, double time,
                                     double volatility, double domestic, double foreign) {
  XR_REQUIRE_CODE(type, 3, 1);
  XR_REQUIRE_CODE(payout, 2, 2);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 3);
  XR_REQUIRE(XR_IS_LEVEL(lower), lower, 4);
  XR_REQUIRE(XR_IS_LEVEL(upper), upper, 5);
  const xr_refusal market = check_market(time, volatility, domestic, foreign, 6);
  if (market) return market;
  return check_corridor(spot, lower, upper, time, volatility, domestic, foreign, type == XR_ONE_TOUCH_AT_HIT, 5, 8);
}

static inline double touch(int8_t type, int8_t payout, double spot, double lower, double upper, double time,
                           double volatility, double domestic, double foreign) {
  const xr_market m = xr_market_of(spot, time, volatility, domestic, foreign);
  const int in_base = payout == XR_PAYS_BASE;
  const double unit = in_base ? m.base : m.counter;
  const double n = in_base ? m.n_base : m.n_counter;
  if (spot <= lower || spot >= upper) {
    if (type == XR_ONE_TOUCH_AT_HIT) return in_base ? spot : 1.0;
    return type == XR_NO_TOUCH ? 0.0 : unit;
  }
  const double d = xr_log_ratio(lower, spot) / m.deviation;
  const double u = xr_log_ratio(upper, spot) / m.deviation;
  if (type == XR_ONE_TOUCH_AT_HIT)
    return (in_base ? upper : 1.0) * xr_corridor_passage(m.n_counter, u, d, m.rate_time) +
           (in_base ? lower : 1.0) * xr_corridor_passage(m.n_counter, d, u, m.rate_time);
  if (type == XR_NO_TOUCH) return unit * xr_not_negative(xr_corridor_mass(n, d, u, d, u));
  if ((u - d) * (u - d) < XR_SINES_BELOW) return unit * (1.0 - xr_corridor_sines(n, d, u, d, u));
  const double outside = xr_image_mass(n, 0.0, -XR_FAR, d) + xr_image_mass(n, 0.0, u, XR_FAR);
  return unit * xr_not_negative(outside - xr_corridor_images(n, d, u, d, u));
}

int64_t xr_double_touch_price(int64_t count, const int8_t *touch_type, const int8_t *payout_currency,
                              const double *spot, const double *lower, const double *upper, const double *time,
                              const double *volatility, const double *domestic_rate, const double *foreign_rate,
                              double *price, uint8_t *status) {
  for (int64_t i = 0; i < count; i++) {
    const xr_refusal refusal = check_touch(touch_type[i], payout_currency[i], spot[i], lower[i], upper[i], time[i],
                                           volatility[i], domestic_rate[i], foreign_rate[i]);
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    price[i] = refusal ? NAN
                       : touch(touch_type[i], payout_currency[i], spot[i], lower[i], upper[i], time[i], volatility[i],
                               domestic_rate[i], foreign_rate[i]);
  }
  return 0;
}
