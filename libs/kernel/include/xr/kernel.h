/* The whole public interface. */
#ifndef XR_KERNEL_H
#define XR_KERNEL_H

#include "xr/base.h"
#include "xr/attribution.h"
#include "xr/implied.h"
#include "xr/margin.h"
#include "xr/parametric.h"
#include "xr/revalue.h"
#include "xr/vanilla.h"
#include "xr/var.h"
#include "xr/volatility_filter.h"

#endif
