/* Smiles from quotes: see include/xr/smile.h. */
#include "xr/smile.h"

#include "delta_polynomial.h"
#include "delta_strike.h"

#define PAIRS_MAX 2
#define POINTS_MAX XR_SMILE_POINTS_MAX

/* One row of quotes; pair 0 is the inner one. */
typedef struct {
  int pairs;
  int8_t convention, strangle;
  double s, root_time, factor;        /* standard deviation at the money; sqrt(time); spot delta over forward delta */
  double atm, atm_moneyness;          /* volatility, log(strike / forward) */
  double delta[PAIRS_MAX], risk_reversal[PAIRS_MAX], butterfly[PAIRS_MAX];
  double call[PAIRS_MAX], put[PAIRS_MAX];    /* moneyness of the market strangles */
  double premium[PAIRS_MAX], vega[PAIRS_MAX]; /* of the market strangles, for a forward of one, not discounted */
} quotes;

/* A smile by its points, strikes ascending. */
typedef struct {
  double moneyness[POINTS_MAX], volatility[POINTS_MAX], c[POINTS_MAX];
} points;

/* The premium of a call or put for a forward of one. */
static inline double option(int call, double moneyness, double s) {
  const double sign = call ? 1.0 : -1.0;
  const double d1 = 0.5 * s - moneyness / s;
  return sign * (xr_ndtr(sign * d1) - exp(moneyness) * xr_ndtr(sign * (d1 - s)));
}

static inline double vega(double moneyness, double s, double root_time) {
  return root_time * xr_npdf(0.5 * s - moneyness / s);
}

/* Strikes and premiums of the market strangles. */
static int32_t quote_strangles(quotes *q) {
  for (int j = 0; j < q->pairs; j++) {
    const double volatility = q->atm + q->butterfly[j];
    if (!(volatility > 0.0)) return XR_INCONSISTENT;
    const double s = volatility * q->root_time;
    int32_t reason = xr_moneyness_of_delta(1, q->convention, q->delta[j] / q->factor, s, &q->call[j]);
    if (!reason) reason = xr_moneyness_of_delta(0, q->convention, q->delta[j] / q->factor, s, &q->put[j]);
    if (reason) return reason;
    q->premium[j] = option(1, q->call[j], s) + option(0, q->put[j], s);
    q->vega[j] = vega(q->call[j], s, q->root_time) + vega(q->put[j], s, q->root_time);
  }
  return XR_OK;
}

/* The smile with these smile strangles. */
static int32_t smile_of(const quotes *q, const double strangle[PAIRS_MAX], points *p) {
  const int middle = q->pairs, count = 2 * q->pairs + 1;
  p->moneyness[middle] = q->atm_moneyness;
  p->volatility[middle] = q->atm;
  for (int j = 0; j < q->pairs; j++) {
    for (int call = 0; call < 2; call++) {
      const int at = call ? middle + 1 + j : middle - 1 - j;
      const double half = 0.5 * q->risk_reversal[j];
      p->volatility[at] = q->atm + strangle[j] + (call ? half : -half);
      if (!(p->volatility[at] > 0.0)) return XR_INCONSISTENT;
      const int32_t reason = xr_moneyness_of_delta((int8_t)call, q->convention, q->delta[j] / q->factor,
                                                   p->volatility[at] * q->root_time, &p->moneyness[at]);
      if (reason) return reason;
    }
  }
  return xr_smile_fit(count, p->moneyness, p->volatility, q->s, p->c) ? XR_OK : XR_INCONSISTENT;
}

/* By how much volatility the smile misses each market strangle; the result is the greatest, or infinity without a smile. */
static double missed(const quotes *q, const double strangle[PAIRS_MAX], points *p, double by[PAIRS_MAX]) {
  if (smile_of(q, strangle, p)) return INFINITY;
  double worst = 0.0;
  for (int j = 0; j < q->pairs; j++) {
    const double call = xr_smile_value(p->c, xr_smile_abscissa(q->call[j], q->s)) * q->root_time;
    const double put = xr_smile_value(p->c, xr_smile_abscissa(q->put[j], q->s)) * q->root_time;
    by[j] = (option(1, q->call[j], call) + option(0, q->put[j], put) - q->premium[j]) / q->vega[j];
    if (!(fabs(by[j]) <= worst)) worst = fabs(by[j]);
  }
  return worst == worst ? worst : INFINITY;
}

#define BUMP 1e-6        /* of volatility, for the slopes */
#define TOLERANCE 1e-12  /* of volatility; below it steps go on for as long as they improve */

/* Newton's method for the smile strangles that meet the market strangles, from smile strangle = market strangle. The
   Jacobian is near the unit matrix, since what is missed is measured in volatility; a step that does not improve is halved. */
static int32_t calibrate(const quotes *q, points *p) {
  double x[PAIRS_MAX] = {q->butterfly[0], q->pairs > 1 ? q->butterfly[1] : 0.0}, r[PAIRS_MAX] = {0.0, 0.0};
  const int32_t reason = smile_of(q, x, p);
  if (reason || q->strangle == XR_SMILE_STRANGLE) return reason;
  double worst = missed(q, x, p, r);
  for (int step = 0; step < 50 && worst > 1e-16; step++) {
    double j[2][2] = {{1.0, 0.0}, {0.0, 1.0}}, dx[2];
    points tried;
    for (int m = 0; m < q->pairs; m++) {
      double moved[PAIRS_MAX] = {x[0], x[1]}, by[PAIRS_MAX] = {0.0, 0.0};
      moved[m] += BUMP;
      if (missed(q, moved, &tried, by) == INFINITY) return XR_NOT_CONVERGED;
      for (int n = 0; n < q->pairs; n++) j[n][m] = (by[n] - r[n]) / BUMP;
    }
    const double determinant = j[0][0] * j[1][1] - j[0][1] * j[1][0];
    dx[0] = -(r[0] * j[1][1] - r[1] * j[0][1]) / determinant;
    dx[1] = -(r[1] * j[0][0] - r[0] * j[1][0]) / determinant;
    double scale = 1.0, better = INFINITY;
    for (int half = 0; half < 16; half++, scale *= 0.5) {
      double by[PAIRS_MAX] = {0.0, 0.0};
      const double to[PAIRS_MAX] = {x[0] + scale * dx[0], x[1] + scale * dx[1]};
      better = missed(q, to, &tried, by);
      if (better < worst) {
        for (int n = 0; n < PAIRS_MAX; n++) x[n] = to[n], r[n] = by[n];
        break;
      }
    }
    if (!(better < worst)) break;
    worst = better;
    *p = tried;
  }
  return worst <= TOLERANCE ? XR_OK : XR_NOT_CONVERGED;
}

static inline xr_refusal check_row(int8_t atm, int8_t convention, int8_t strangle, double spot, double time,
                                   double domestic, double foreign) {
  XR_REQUIRE_CODE(atm, 3, 1);
  XR_REQUIRE_CODE(convention, 4, 2);
  XR_REQUIRE_CODE(strangle, 2, 3);
  XR_REQUIRE(XR_IS_LEVEL(spot), spot, 4);
  XR_REQUIRE(XR_IS_SMILE_TIME(time), time, 5);
  XR_REQUIRE(XR_IS_RATE(domestic), domestic, 6);
  XR_REQUIRE(XR_IS_RATE(foreign), foreign, 7);
  return 0;
}

/* The calibration of a row whose quotes are filled in; moneyness becomes strikes. */
static int32_t solve(quotes *q, int8_t atm, double spot, double time, double domestic, double foreign, points *p) {
  const double carry = (domestic - foreign) * time;
  q->root_time = sqrt(time);
  q->s = q->atm * q->root_time;
  q->factor = xr_delta_factor(q->convention, foreign, time);
  q->atm_moneyness = xr_moneyness_atm(atm, q->convention, q->s, carry);
  int32_t reason = q->strangle == XR_MARKET_STRANGLE ? quote_strangles(q) : XR_OK;
  if (!reason) reason = calibrate(q, p);
  if (reason) return reason;
  for (int i = 0; i < 2 * q->pairs + 1; i++) {
    p->moneyness[i] = spot * exp(p->moneyness[i] + carry);
    if (!XR_IS_LEVEL(p->moneyness[i])) return XR_NO_SOLUTION;
  }
  return XR_OK;
}

int64_t xr_smile_three(int64_t count, const int8_t *atm_convention, const int8_t *delta_convention,
                       const int8_t *strangle, const double *spot, const double *time, const double *domestic_rate,
                       const double *foreign_rate, const double *delta, const double *atm_volatility,
                       const double *risk_reversal, const double *butterfly, double *strike_put, double *strike_atm,
                       double *strike_call, double *volatility_put, double *volatility_atm, double *volatility_call,
                       double *c0, double *c1, double *c2, uint8_t *status) {
  double *const out[] = {strike_put, strike_atm, strike_call, volatility_put, volatility_atm, volatility_call, c0, c1, c2};
  for (int64_t i = 0; i < count; i++) {
    xr_refusal refusal = check_row(atm_convention[i], delta_convention[i], strangle[i], spot[i], time[i],
                                   domestic_rate[i], foreign_rate[i]);
    if (refusal) goto settle;
    const double given[] = {delta[i], atm_volatility[i], risk_reversal[i], butterfly[i]};
    const int fine[] = {XR_IS_QUOTED_DELTA(given[0]), XR_IS_SMILE_VOLATILITY(given[1]),
                        XR_IS_VOLATILITY_SPREAD(given[2]), XR_IS_VOLATILITY_SPREAD(given[3])};
    for (int a = 0; a < 4 && !refusal; a++)
      if (!fine[a]) refusal = xr_refuse_number(given[a], 8 + a);
    if (refusal) goto settle;
    quotes q = {.pairs = 1, .convention = delta_convention[i], .strangle = strangle[i], .atm = given[1]};
    q.delta[0] = given[0], q.risk_reversal[0] = given[2], q.butterfly[0] = given[3];
    points p;
    const int32_t reason =
        solve(&q, atm_convention[i], spot[i], time[i], domestic_rate[i], foreign_rate[i], &p);
    if (reason) refusal = xr_refuse(reason, 11);
    else
      for (int a = 0; a < 3; a++) out[a][i] = p.moneyness[a], out[a + 3][i] = p.volatility[a], out[a + 6][i] = p.c[a];
  settle:
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (refusal)
      for (int a = 0; a < 9; a++) out[a][i] = NAN;
  }
  return 0;
}

int64_t xr_smile_five(int64_t count, const int8_t *atm_convention, const int8_t *delta_convention,
                      const int8_t *strangle, const double *spot, const double *time, const double *domestic_rate,
                      const double *foreign_rate, const double *inner_delta, const double *outer_delta,
                      const double *atm_volatility, const double *inner_risk_reversal, const double *inner_butterfly,
                      const double *outer_risk_reversal, const double *outer_butterfly, double *strike_outer_put,
                      double *strike_inner_put, double *strike_atm, double *strike_inner_call,
                      double *strike_outer_call, double *volatility_outer_put, double *volatility_inner_put,
                      double *volatility_atm, double *volatility_inner_call, double *volatility_outer_call, double *c0,
                      double *c1, double *c2, double *c3, double *c4, uint8_t *status) {
  double *const out[] = {strike_outer_put,     strike_inner_put,     strike_atm,     strike_inner_call,
                         strike_outer_call,    volatility_outer_put, volatility_inner_put, volatility_atm,
                         volatility_inner_call, volatility_outer_call, c0, c1, c2, c3, c4};
  for (int64_t i = 0; i < count; i++) {
    xr_refusal refusal = check_row(atm_convention[i], delta_convention[i], strangle[i], spot[i], time[i],
                                   domestic_rate[i], foreign_rate[i]);
    if (refusal) goto settle;
    const double given[] = {inner_delta[i],     outer_delta[i],         atm_volatility[i],    inner_risk_reversal[i],
                            inner_butterfly[i], outer_risk_reversal[i], outer_butterfly[i]};
    for (int a = 0; a < 7 && !refusal; a++) {
      const double x = given[a];
      if (!(a < 2 ? XR_IS_QUOTED_DELTA(x) : a == 2 ? XR_IS_SMILE_VOLATILITY(x) : XR_IS_VOLATILITY_SPREAD(x)))
        refusal = xr_refuse_number(x, 8 + a);
    }
    if (refusal) goto settle;
    quotes q = {.pairs = 2, .convention = delta_convention[i], .strangle = strangle[i], .atm = given[2]};
    for (int j = 0; j < 2; j++)
      q.delta[j] = given[j], q.risk_reversal[j] = given[3 + 2 * j], q.butterfly[j] = given[4 + 2 * j];
    points p;
    const int32_t reason =
        q.delta[1] < q.delta[0]
            ? solve(&q, atm_convention[i], spot[i], time[i], domestic_rate[i], foreign_rate[i], &p)
            : XR_INCONSISTENT;
    if (reason) refusal = xr_refuse(reason, 14);
    else
      for (int a = 0; a < 5; a++) out[a][i] = p.moneyness[a], out[a + 5][i] = p.volatility[a], out[a + 10][i] = p.c[a];
  settle:
    if (refusal && !status) return xr_fault(refusal, i);
    if (status) status[i] = (uint8_t)(refusal >> 8);
    if (refusal)
      for (int a = 0; a < 15; a++) out[a][i] = NAN;
  }
  return 0;
}
