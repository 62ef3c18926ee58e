/* The whole public interface. */
#ifndef XR_KERNEL_H
#define XR_KERNEL_H

#include "xr/american.h"
#include "xr/asian.h"
#include "xr/barrier.h"
#include "xr/base.h"
#include "xr/digital.h"
#include "xr/touch.h"
#include "xr/vanilla.h"

#endif
