/* The whole public interface. */
#ifndef XR_KERNEL_H
#define XR_KERNEL_H

#include "xr/base.h"
#include "xr/arbitrage.h"
#include "xr/attribution.h"
#include "xr/barrier.h"
#include "xr/bootstrap.h"
#include "xr/business_clock.h"
#include "xr/curve.h"
#include "xr/digital.h"
#include "xr/implied.h"
#include "xr/margin.h"
#include "xr/parametric.h"
#include "xr/revalue.h"
#include "xr/sabr.h"
#include "xr/smile.h"
#include "xr/strike.h"
#include "xr/swap_points.h"
#include "xr/touch.h"
#include "xr/vanilla.h"
#include "xr/vanna_volga.h"
#include "xr/var.h"
#include "xr/volatility_filter.h"

#endif
