/* The normal distribution. */
#ifndef XR_NORMAL_H
#define XR_NORMAL_H

#include "xr/base.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The number below which a standard normal variable lies with a given probability; within 1e-15, relative to the number.

   probability        1e-300 to 1 - 2^-53
   quantile           out, count elements
   status             out, count reasons, or NULL: then the first refused element ends the call */
int64_t xr_normal_quantile(int64_t count, const double *probability, double *quantile, uint8_t *status);

#ifdef __cplusplus
}
#endif
#endif
