/* crossrate kernel: what every function shares. See ../../README.md for the rules of the house. */
#ifndef XR_BASE_H
#define XR_BASE_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Why an input was refused, or why there is no result. Zero is success. */
enum xr_reason {
  XR_OK = 0,
  XR_NOT_FINITE = 1,    /* NaN or infinite */
  XR_OUT_OF_RANGE = 2,  /* finite, but outside of what the argument may be */
  XR_NOT_A_CODE = 3,    /* an integer that stands for nothing */
  XR_NO_SOLUTION = 4,   /* no number solves what was asked, e.g. a premium below intrinsic value */
  XR_NOT_CONVERGED = 5, /* an iteration reached its bound */
  XR_NOT_ASCENDING = 6, /* knots, times or dates that have to ascend do not */
  XR_NOT_PSD = 7,       /* a matrix is not positive semi-definite */
  XR_TOO_FEW = 8,       /* fewer elements than the method needs */
  XR_INCONSISTENT = 9   /* arguments that are fine alone contradict each other */
};

/* Which build of the kernel runs. Processors other than x86-64 have the baseline alone. */
enum xr_path_code { XR_BASELINE = 0, XR_AVX2 = 1, XR_AVX512 = 2 };

/* Put or call, as FIX tag 201 has it. */
enum xr_put_or_call { XR_PUT = 0, XR_CALL = 1 };

/* Every function returns 0, or one number that says what was refused: reason in bits 56 to 62, the argument's place in the
   parameter list (counted from 0) in bits 48 to 55, the first offending index in bits 0 to 47. */

/* The build that calls are sent to: the best that this processor has, unless xr_use chose another. */
int32_t xr_path(void);

/* Whether a build is there and this processor can run it. */
int32_t xr_has(int32_t path);

/* Sends all further calls of the process to one build; for tests and for comparing builds. Returns 0, or -1 and changes
   nothing if this processor cannot run it. */
int32_t xr_use(int32_t path);

/* Whether the build that calls are sent to fuses a product and a sum into one rounding: 1, or 0. Builds that do agree with each
   other to the last bit, and so do those that do not, whatever compiler and processor. */
int32_t xr_fuses(void);

#ifdef __cplusplus
}
#endif
#endif
