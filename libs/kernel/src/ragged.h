/* Rows of different lengths in one array: row i holds the elements offsets[i] to offsets[i + 1] - 1. */
#ifndef XR_RAGGED_H
#define XR_RAGGED_H

#include "checks.h"

#define XR_VARIANCE_MIN 1e-120 /* the square of the smallest and of the largest amount */
#define XR_VARIANCE_MAX 1e120
#define XR_IS_VARIANCE(x) (((x) >= 0.0) & ((x) <= XR_VARIANCE_MAX))
#define XR_IS_POSITIVE_VARIANCE(x) (((x) >= XR_VARIANCE_MIN) & ((x) <= XR_VARIANCE_MAX))

/* In a function that returns a fault: every element has to be allowed. Arrays are checked one after the other. */
#define XR_REQUIRE_ALL(IS, values, count, argument)                                                       \
  do {                                                                                                    \
    for (int64_t each_ = 0; each_ < (count); each_++)                                                     \
      if (!IS((values)[each_])) return xr_fault(xr_refuse_number((values)[each_], (argument)), each_);    \
  } while (0)

#define XR_REQUIRE_ALL_CODES(values, codes, count, argument)                                         \
  do {                                                                                               \
    for (int64_t each_ = 0; each_ < (count); each_++)                                                \
      if ((values)[each_] < 0 || (values)[each_] >= (codes))                                         \
        return xr_fault(xr_refuse(XR_NOT_A_CODE, (argument)), each_);                                \
  } while (0)

/* Every row has at least so many elements; the index of the fault is the row. */
static inline int64_t xr_check_rows(const int64_t *offsets, int64_t rows, int64_t fewest, int32_t argument) {
  for (int64_t i = 0; i < rows; i++) {
    if (offsets[i + 1] < offsets[i]) return xr_fault(xr_refuse(XR_NOT_ASCENDING, argument), i);
    if (offsets[i + 1] - offsets[i] < fewest) return xr_fault(xr_refuse(XR_TOO_FEW, argument), i);
  }
  return 0;
}

#endif
