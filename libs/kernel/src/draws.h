/* What the numbers of a simulation may be: paths, steps, streams. */
#ifndef XR_DRAWS_H
#define XR_DRAWS_H

#include "checks.h"
#include "philox.h"

static inline int64_t xr_smaller(int64_t a, int64_t b) { return a < b ? a : b; }

/* Refuses what no counter can hold; each number comes with its place among the function's arguments. */
static inline xr_refusal xr_refuse_draws(int64_t paths, int32_t paths_at, int64_t steps, int32_t steps_at,
                                         int64_t stream, int32_t stream_at, int64_t first_path, int32_t first_path_at,
                                         int64_t first_step, int32_t first_step_at) {
  if (paths < 0 || paths > XR_PATH_LIMIT) return xr_refuse(XR_OUT_OF_RANGE, paths_at);
  if (steps < 0 || steps > XR_STEP_LIMIT) return xr_refuse(XR_OUT_OF_RANGE, steps_at);
  if (stream < 0 || stream >= XR_STREAM_LIMIT) return xr_refuse(XR_OUT_OF_RANGE, stream_at);
  if (first_path < 0 || first_path > XR_PATH_LIMIT - paths) return xr_refuse(XR_OUT_OF_RANGE, first_path_at);
  if (first_step < 0 || first_step > XR_STEP_LIMIT - steps) return xr_refuse(XR_OUT_OF_RANGE, first_step_at);
  return 0;
}

#endif
