/* European vanilla options on an exchange rate: Garman and Kohlhagen (1983).

   Arguments of every function here, one element an option:

   put_or_call        0 put, 1 call
   spot, strike       counter per base, 1e-60 to 1e60
   time               years to expiry, 0 to 100
   volatility         per square root of a year, 0 to 100
   domestic_rate      continuously compounded rate of the counter currency, -5 to 5
   foreign_rate       the same of the base currency
   status             out, count reasons, or NULL: then the first refused element ends the call

   Results are for one unit of the base currency, bought. */
#ifndef XR_VANILLA_H
#define XR_VANILLA_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Premium in the counter currency. */
int64_t xr_vanilla_price(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                         const double *time, const double *volatility, const double *domestic_rate,
                         const double *foreign_rate, double *price, uint8_t *status);

/* Premium and six Greeks in one pass: spot delta ∂V/∂S, gamma ∂²V/∂S², vega ∂V/∂σ for 1.00 of volatility, theta -∂V/∂T a
   year, rho ∂V/∂r for 1.00 of either rate. */
int64_t xr_vanilla_greeks(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                          const double *time, const double *volatility, const double *domestic_rate,
                          const double *foreign_rate, double *price, double *delta, double *gamma, double *vega,
                          double *theta, double *rho_domestic, double *rho_foreign, uint8_t *status);

/* The Greeks that xr_vanilla_greeks leaves out: the other three deltas (forward; spot and forward less the premium in the
   base currency), ∂V/∂K, vanna ∂²V/∂S∂σ, volga ∂²V/∂σ², charm -∂²V/∂S∂T a year. */
int64_t xr_vanilla_further(int64_t count, const int8_t *put_or_call, const double *spot, const double *strike,
                           const double *time, const double *volatility, const double *domestic_rate,
                           const double *foreign_rate, double *forward_delta, double *adjusted_delta,
                           double *adjusted_forward_delta, double *strike_delta, double *vanna, double *volga,
                           double *charm, uint8_t *status);

/* The arrays of many small calls, taken once: a binding then passes one pointer a call. */
typedef struct {
  int64_t capacity; /* elements of every array */
  const int8_t *put_or_call;
  const double *spot, *strike, *time, *volatility, *domestic_rate, *foreign_rate;
  double *price, *delta, *gamma, *vega, *theta, *rho_domestic, *rho_foreign;
} xr_vanilla_arrays;

/* xr_vanilla_price and xr_vanilla_greeks of the first `count` elements, without a status array. A count that is not from 0 to
   the capacity is XR_OUT_OF_RANGE of argument 1. */
int64_t xr_vanilla_price_of(const xr_vanilla_arrays *arrays, int64_t count);
int64_t xr_vanilla_greeks_of(const xr_vanilla_arrays *arrays, int64_t count);

#ifdef __cplusplus
}
#endif
#endif
