/* What an argument may be, in one place for all sources. A NaN fails every comparison, so that one pair of comparisons is
   the whole check. The limits keep every intermediate result finite. */
#ifndef XR_CHECKS_H
#define XR_CHECKS_H

#include <math.h>
#include <stddef.h>
#include <stdint.h>

#include "xr/base.h"

#define XR_LEVEL_MIN 1e-60 /* spot, strike, barrier, forward: anything that is a price and cannot be zero */
#define XR_LEVEL_MAX 1e60
#define XR_TIME_MAX 100.0
#define XR_VOLATILITY_MAX 100.0
#define XR_RATE_MAX 5.0

#define XR_IS_LEVEL(x) (((x) >= XR_LEVEL_MIN) & ((x) <= XR_LEVEL_MAX))
#define XR_IS_AMOUNT(x) (((x) >= -XR_LEVEL_MAX) & ((x) <= XR_LEVEL_MAX))
#define XR_IS_TIME(x) (((x) >= 0.0) & ((x) <= XR_TIME_MAX))
#define XR_IS_VOLATILITY(x) (((x) >= 0.0) & ((x) <= XR_VOLATILITY_MAX))
#define XR_IS_RATE(x) (((x) >= -XR_RATE_MAX) & ((x) <= XR_RATE_MAX))
#define XR_IS_UNIT(x) (((x) >= 0.0) & ((x) <= 1.0))
#define XR_IS_CORRELATION(x) (((x) >= -1.0) & ((x) <= 1.0))

#define XR_CONFIDENCE_MIN 0.5 /* of a risk measure; below it is a gain or a confidence written as its complement */
#define XR_CONFIDENCE_MAX 0.999999

/* A refusal of one element: its reason and the place of the argument. Zero is none. */
typedef int32_t xr_refusal;

static inline xr_refusal xr_refuse(int32_t reason, int32_t argument) { return reason << 8 | argument; }

static inline int64_t xr_fault(xr_refusal refusal, int64_t index) {
  return (int64_t)(refusal >> 8) << 56 | (int64_t)(refusal & 255) << 48 | index;
}

/* The refusal of a number that is not what its argument may be. */
static inline xr_refusal xr_refuse_number(double value, int32_t argument) {
  return xr_refuse(isfinite(value) ? XR_OUT_OF_RANGE : XR_NOT_FINITE, argument);
}

/* In a function that returns an xr_refusal: refuses and leaves. */
#define XR_REQUIRE(allowed, value, argument)                          \
  do {                                                                \
    if (!(allowed)) return xr_refuse_number((value), (argument));     \
  } while (0)

#define XR_REQUIRE_CODE(value, codes, argument)                                            \
  do {                                                                                     \
    if ((value) < 0 || (value) >= (codes)) return xr_refuse(XR_NOT_A_CODE, (argument));    \
  } while (0)

#endif
