/* The whole public interface. */
#ifndef XR_KERNEL_H
#define XR_KERNEL_H

#include "xr/base.h"
#include "xr/correlation.h"
#include "xr/heston.h"
#include "xr/local_volatility.h"
#include "xr/monte_carlo.h"
#include "xr/normal.h"
#include "xr/paths.h"
#include "xr/random.h"
#include "xr/sobol.h"
#include "xr/vanilla.h"

#endif
