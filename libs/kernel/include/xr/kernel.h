/* The whole public interface. */
#ifndef XR_KERNEL_H
#define XR_KERNEL_H

#include "xr/arbitrage.h"
#include "xr/base.h"
#include "xr/business_clock.h"
#include "xr/sabr.h"
#include "xr/smile.h"
#include "xr/strike.h"
#include "xr/vanilla.h"
#include "xr/vanna_volga.h"

#endif
