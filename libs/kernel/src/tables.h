/* Checks of whole arrays: the first element that is refused, argument after argument. */
#ifndef XR_TABLES_H
#define XR_TABLES_H

#include "checks.h"

/* The fault of the first element outside of [low, high], or 0. The first loop has no exit, so that it is vectorised; only
   where it finds something does the second look for the place. */
static inline int64_t xr_outside(int64_t count, const double *values, double low, double high, int32_t argument) {
  int fine = 1;
  for (int64_t i = 0; i < count; i++) fine &= (values[i] >= low) & (values[i] <= high);
  for (int64_t i = 0; !fine && i < count; i++)
    if (!((values[i] >= low) & (values[i] <= high))) return xr_fault(xr_refuse_number(values[i], argument), i);
  return 0;
}

static inline int64_t xr_not_amounts(int64_t count, const double *values, int32_t argument) {
  return xr_outside(count, values, -XR_LEVEL_MAX, XR_LEVEL_MAX, argument);
}

static inline int64_t xr_not_confidences(int64_t count, const double *values, int32_t argument) {
  return xr_outside(count, values, XR_CONFIDENCE_MIN, XR_CONFIDENCE_MAX, argument);
}

#endif
