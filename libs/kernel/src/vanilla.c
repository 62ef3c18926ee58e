/* European vanilla options: see include/xr/vanilla.h; the formula stands in garman.h.

   Elements are worked in blocks of one length, the last one filled up, so that every element passes through the same vector
   code wherever it stands: its bits do not depend on its place. */
#include "xr/vanilla.h"

#include "checks.h"
#include "garman.h"
#include "ranges.h"
#include "stream.h"

#define BLOCK XR_STREAM_BLOCK
#define CHUNK 8 /* of what is left over; one vector of the widest path, so that a lone option is cheap */
#define INPUTS 6
#define OUTPUTS_MAX 7

enum { SPOT, STRIKE, TIME, VOLATILITY, DOMESTIC, FOREIGN };
enum { PRICE = 1, GREEKS = 7, FURTHER = -7 };

typedef struct {
  const int8_t *call;
  const double *in[INPUTS];
} options;

static const double HARMLESS[INPUTS] = {1.0, 1.0, 1.0, 0.1, 0.0, 0.0};

static xr_refusal refusal_of(const options *o, int64_t i) {
  XR_REQUIRE_CODE(o->call[i], 2, 1);
  XR_REQUIRE(XR_IS_LEVEL(o->in[SPOT][i]), o->in[SPOT][i], 2);
  XR_REQUIRE(XR_IS_LEVEL(o->in[STRIKE][i]), o->in[STRIKE][i], 3);
  XR_REQUIRE(XR_IS_TIME(o->in[TIME][i]), o->in[TIME][i], 4);
  XR_REQUIRE(XR_IS_VOLATILITY(o->in[VOLATILITY][i]), o->in[VOLATILITY][i], 5);
  XR_REQUIRE(XR_IS_RATE(o->in[DOMESTIC][i]), o->in[DOMESTIC][i], 6);
  XR_REQUIRE(XR_IS_RATE(o->in[FOREIGN][i]), o->in[FOREIGN][i], 7);
  return 0;
}

/* Results of a block, or nothing and 0 if some element of it has to be looked at alone. */
XR_INLINE int compute(int what, int length, const double *restrict sign,
                                                          const double *restrict spot, const double *restrict strike,
                                                          const double *restrict time,
                                                          const double *restrict volatility,
                                                          const double *restrict domestic,
                                                          const double *restrict foreign, double *const *out) {
  double *restrict o0 = out[0], *restrict o1 = out[1], *restrict o2 = out[2], *restrict o3 = out[3];
  double *restrict o4 = out[4], *restrict o5 = out[5], *restrict o6 = out[6];
  double x[BLOCK], roots[BLOCK], deviations[BLOCK], discounted_spot[BLOCK], discounted_strike[BLOCK];
  uint64_t outside = 0;
#pragma omp simd reduction(| : outside)
  for (int i = 0; i < length; i++) {
    outside |= xr_outside_market(spot[i], strike[i], time[i], domestic[i], foreign[i]) |
               xr_outside(volatility[i], 0.0, XR_VOLATILITY_MAX);
    const xr_garman_terms t =
        xr_garman_terms_of(spot[i], strike[i], time[i], volatility[i], domestic[i], foreign[i]);
    x[i] = t.x;
    roots[i] = t.root;
    deviations[i] = t.deviation;
    discounted_spot[i] = t.discounted_spot;
    discounted_strike[i] = t.discounted_strike;
  }
  if (length == BLOCK && outside >> 63) return 0;
#pragma omp simd
  for (int i = 0; i < length; i++) {
    const xr_garman_terms terms = {x[i], roots[i], deviations[i], discounted_spot[i], discounted_strike[i]};
    const double s = sign[i], rd = domestic[i], rf = foreign[i], t = time[i], sd = volatility[i];
    const double root = terms.root, deviation = terms.deviation;
    const xr_garman g = xr_garman_of(s, &terms);
    if (what == PRICE) {
      o0[i] = g.premium;
    } else if (what == GREEKS) {
      /* Two quotients from one division. */
      const double over_both = 1.0 / (spot[i] * deviation);
      const double over_spot = over_both * deviation, over_deviation = over_both * spot[i];
      o0[i] = g.premium;
      o1[i] = s * g.paid * over_spot;
      o2[i] = g.peak * over_spot * over_both;
      o3[i] = g.peak * root;
      /* σ / √T is σ² / w. */
      o4[i] = s * (rf * g.paid - rd * g.received) - 0.5 * g.peak * (sd * sd) * over_deviation;
      o5[i] = s * t * g.received;
      o6[i] = -s * t * g.paid;
    } else {
      const double over_spot = 1.0 / spot[i];
      const double growth = xr_exp(rf * t);
      const double over_deviation = 1.0 / deviation;
      const double life = t > XR_TINY ? t : XR_TINY;
      const double adjusted = s * g.received * over_spot;
      const double steep = g.peak * root * over_deviation;
      o0[i] = s * g.paid * over_spot * growth;
      o1[i] = adjusted;
      o2[i] = adjusted * growth;
      o3[i] = -s * g.received / strike[i];
      o4[i] = -steep * g.d2 * over_spot;
      o5[i] = (steep * root * g.d1) * g.d2;
      o6[i] = (s * rf * g.paid - g.peak * ((rd - rf) * over_deviation - 0.5 * g.d2 / life)) * over_spot;
    }
  }
  return 1;
}

/* Elements of which some may be refused, or which do not fill a block. */
XR_INLINE int64_t chunk(int what, int64_t start, int64_t size, const options *o,
                                                           double *const *out, int outputs, uint8_t *status) {
  double sign[CHUNK], in[INPUTS][CHUNK], result[OUTPUTS_MAX][CHUNK];
  uint8_t reasons[CHUNK];
  for (int64_t i = 0; i < CHUNK; i++) {
    const xr_refusal refusal = i < size ? refusal_of(o, start + i) : 0;
    if (refusal && !status) return xr_fault(refusal, start + i);
    const int usable = i < size && !refusal;
    reasons[i] = (uint8_t)(refusal >> 8);
    sign[i] = usable && !o->call[start + i] ? -1.0 : 1.0;
    for (int k = 0; k < INPUTS; k++) in[k][i] = usable ? o->in[k][start + i] : HARMLESS[k];
  }
  double *rows[OUTPUTS_MAX];
  for (int k = 0; k < OUTPUTS_MAX; k++) rows[k] = result[k];
  compute(what, CHUNK, sign, in[SPOT], in[STRIKE], in[TIME], in[VOLATILITY], in[DOMESTIC], in[FOREIGN], rows);
  for (int64_t i = 0; i < size; i++) {
    for (int k = 0; k < outputs; k++) out[k][start + i] = reasons[i] ? NAN : result[k][i];
    if (status) status[start + i] = reasons[i];
  }
  return 0;
}

XR_INLINE int64_t all(int what, int64_t count, const options *o,
                                                         double *const *out, uint8_t *status) {
  const int outputs = what < 0 ? -what : what;
  const int streamed = xr_stream_pays(count, outputs);
  xr_stream stream;
  stream.open = 0;
  for (int64_t start = 0; start < count; start += BLOCK) {
    const int64_t size = count - start < BLOCK ? count - start : BLOCK;
    if (size == BLOCK) {
      const double *in[INPUTS];
      for (int k = 0; k < INPUTS; k++) in[k] = o->in[k] + start;
      double sign[BLOCK];
      for (int i = 0; i < BLOCK; i++) sign[i] = 2.0 * o->call[start + i] - 1.0;
      double *rows[OUTPUTS_MAX];
      for (int k = 0; k < OUTPUTS_MAX; k++) {
        const int used = k < outputs ? k : 0;
        rows[k] = streamed ? xr_stream_row(&stream, used) : out[used] + start;
      }
      if (xr_are_flags(o->call + start, BLOCK) &&
          compute(what, BLOCK, sign, in[0], in[1], in[2], in[3], in[4], in[5], rows)) {
        if (streamed) xr_stream_put(&stream, outputs, out, start);
        if (status) memset(status + start, 0, BLOCK);
        continue;
      }
    }
    xr_stream_end(&stream, outputs, out, start);
    for (int64_t at = 0; at < size; at += CHUNK) {
      const int64_t part = size - at < CHUNK ? size - at : CHUNK;
      const int64_t fault = chunk(what, start + at, part, o, out, outputs, status);
      if (fault) return fault;
    }
  }
  xr_stream_end(&stream, outputs, out, count / BLOCK * BLOCK);
  return 0;
}

int64_t xr_vanilla_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                         const double *time, const double *volatility, const double *domestic_rate,
                         const double *foreign_rate, double *price, uint8_t *status) {
  const options o = {put_or_call, {spot, strike, time, volatility, domestic_rate, foreign_rate}};
  double *const out[] = {price};
  return all(PRICE, count, &o, out, status);
}

int64_t xr_vanilla_greeks(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                          const double *time, const double *volatility, const double *domestic_rate,
                          const double *foreign_rate, double *price, double *delta, double *gamma, double *vega,
                          double *theta, double *rho_domestic, double *rho_foreign, uint8_t *status) {
  const options o = {put_or_call, {spot, strike, time, volatility, domestic_rate, foreign_rate}};
  double *const out[] = {price, delta, gamma, vega, theta, rho_domestic, rho_foreign};
  return all(GREEKS, count, &o, out, status);
}

int64_t xr_vanilla_further(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                           const double *time, const double *volatility, const double *domestic_rate,
                           const double *foreign_rate, double *forward_delta, double *adjusted_delta,
                           double *adjusted_forward_delta, double *strike_delta, double *vanna, double *volga,
                           double *charm, uint8_t *status) {
  const options o = {put_or_call, {spot, strike, time, volatility, domestic_rate, foreign_rate}};
  double *const out[] = {forward_delta, adjusted_delta, adjusted_forward_delta, strike_delta, vanna, volga, charm};
  return all(FURTHER, count, &o, out, status);
}

int64_t xr_vanilla_price_of(const xr_vanilla_arrays *a, int64_t count) {
  if (count < 0 || count > a->capacity) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  const options o = {a->put_or_call,
                     {a->spot, a->strike, a->time, a->volatility, a->domestic_rate, a->foreign_rate}};
  double *const out[] = {a->price};
  return all(PRICE, count, &o, out, NULL);
}

int64_t xr_vanilla_greeks_of(const xr_vanilla_arrays *a, int64_t count) {
  if (count < 0 || count > a->capacity) return xr_fault(xr_refuse(XR_OUT_OF_RANGE, 1), 0);
  const options o = {a->put_or_call,
                     {a->spot, a->strike, a->time, a->volatility, a->domestic_rate, a->foreign_rate}};
  double *const out[] = {a->price, a->delta, a->gamma, a->vega, a->theta, a->rho_domestic, a->rho_foreign};
  return all(GREEKS, count, &o, out, NULL);
}
