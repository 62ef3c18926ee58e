/* The whole public interface. */
#ifndef XR_KERNEL_H
#define XR_KERNEL_H

#include "xr/base.h"
#include "xr/backtest.h"
#include "xr/bootstrap.h"
#include "xr/curve.h"
#include "xr/series.h"
#include "xr/swap_points.h"
#include "xr/vanilla.h"

#endif
