/* What a build says of itself: see include/xr/base.h. */
#include "xr/base.h"

#include "lanes.h"

int32_t xr_fuses(void) { return XR_FUSES; }
