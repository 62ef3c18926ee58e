/* The whole public interface. */
#ifndef XR_KERNEL_H
#define XR_KERNEL_H

#include "xr/base.h"
#include "xr/implied.h"
#include "xr/revalue.h"
#include "xr/vanilla.h"

#endif
