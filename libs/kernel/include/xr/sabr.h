/* SABR: the lognormal volatility of Hagan, Kumar, Lesniewski and Woodward (2002), "Managing smile risk". */
#ifndef XR_SABR_H
#define XR_SABR_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Volatility of a strike: equation 2.17.

   forward, strike   counter per base, 1e-60 to 1e60
   time              years to expiry, 0 to 100
   alpha             1e-60 to 1e60
   beta              0 to 1
   rho               -0.9999999 to 0.9999999
   nu                0 to 100
   volatility        out; NO_SOLUTION (of alpha) if it is not from 1e-6 to 100
   status            out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_sabr_volatility(int64_t count, const double *forward, const double *strike, const double *time,
                           const double *alpha, const double *beta, const double *rho, const double *nu,
                           double *volatility, uint8_t *status);

/* alpha, rho and nu of smiles by least squares of volatility; a row is one smile, beta is given.

   points            of each row, 3 to 64
   forward, beta     count elements, as above
   time              count elements, 1e-6 to 100
   strike            count rows of points each, as above
   volatility        the same, 1e-6 to 100
   alpha, rho, nu    out, count elements
   error             out: the greatest difference of volatility at a point; zero to rounding where SABR goes through all
   status            as above; NOT_CONVERGED (of volatility, the row's first) after 200 steps */
int64_t xr_sabr_calibrate(int64_t count, int64_t points, const double *forward, const double *time, const double *beta,
                          const double *strike, const double *volatility, double *alpha, double *rho, double *nu,
                          double *error, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
