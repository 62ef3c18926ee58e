/* exp(z²) erfc(z) for real and complex z, without overflow and with full relative accuracy.

   Both are the Faddeeva function w(z) = exp(-z²) erfc(-iz) = (i/pi) ∫ exp(-t²) / (z - t) dt on a ray of the upper half
   plane. The trapezoidal rule with step h converges like exp(-pi²/h²) once the residue of the pole at t = z is added
   (Matta and Reichel 1971; Al Azah and Chandler-Wilde 2021, theorem 1.1): with h = sqrt(pi/12) twelve nodes give about
   2e-15. Nodes between or at the multiples of h are taken, whichever stay away from the pole. */
#ifndef XR_SCALED_ERFC_H
#define XR_SCALED_ERFC_H

#include <math.h>

#define XR_NODES 12
#define XR_STEP 0.511663353973244244        /* h = sqrt(pi/12) */
#define XR_PI_STEP 6.13996024767893093      /* pi/h */
#define XR_2STEP_PI 0.325735007935279948    /* 2h/pi */
#define XR_STEP_PI 0.162867503967639974     /* h/pi */

/* Squares of the nodes (k + 1/2) h, and exp of minus the square. */
static const double XR_MIDDLE_SQUARE[XR_NODES] = {
    0.065449846949787359135, 0.58904862254808623221, 1.6362461737446839784, 3.2070425005395805976,
    5.3014376029327760899,   7.9194314809242704553,  11.061024134514063694, 14.726215563702155805,
    18.91500576848854679,    23.627394748873236648,  28.863382504856225378, 34.622969036437512982};
static const double XR_MIDDLE_WEIGHT[XR_NODES] = {
    0.93664602123659590635,   0.55485491015985340878,   0.19470957808529029874,   0.04047614460380574236,
    0.0049844231324685865018, 3.6360898638930446975e-4, 1.5712969017800479811e-5, 4.0224054215648138537e-7,
    6.099824915912159607e-9,  5.4796502397575270888e-11, 2.9160317551794993927e-13, 9.1925415251343727417e-16};
/* The same for the nodes k h, k from 1; the node at zero stands apart. */
static const double XR_WHOLE_SQUARE[XR_NODES - 1] = {
    0.26179938779914943654, 1.0471975511965977462, 2.3561944901923449288, 4.1887902047863909846,
    6.5449846949787359135,  9.4247779607693797154, 12.82817000215832239,  16.755160819145563938,
    21.20575041173110436,   26.179938779914943654, 31.677725923697081821};
static const double XR_WHOLE_WEIGHT[XR_NODES - 1] = {
    0.76966541249323980757,   0.35091980717841096757,   0.094780224842154852791,   0.015164619864546569953,
    0.0014373060804075317682, 8.0699517570304599239e-5, 2.684086793096743346e-6,   5.2884221169441573316e-8,
    6.1724788652243095669e-10, 4.2677311354552246865e-12, 1.7479879405655012878e-14};

/* exp(y²) erfc(y) for y >= 0: w(iy), where the sum is real. */
static inline double xr_erfcx(double y) {
  double sum = 0.0;
  for (int k = 0; k < XR_NODES; k++) sum += XR_MIDDLE_WEIGHT[k] / (y * y + XR_MIDDLE_SQUARE[k]);
  const double smooth = XR_2STEP_PI * y * sum;
  return y < XR_PI_STEP ? smooth + 2.0 * exp(y * y) / (1.0 + exp(2.0 * XR_PI_STEP * y)) : smooth;
}

/* The real part of w(x + iy) for y > 0 and any x. */
static inline double xr_faddeeva_real(double x, double y) {
  x = fabs(x);
  const double place = x / XR_STEP - floor(x / XR_STEP);
  const int whole = y < fmax(x, XR_PI_STEP) && place >= 0.25 && place <= 0.75;
  const double *square = whole ? XR_WHOLE_SQUARE : XR_MIDDLE_SQUARE;
  const double *weight = whole ? XR_WHOLE_WEIGHT : XR_MIDDLE_WEIGHT;
  /* Re(i z sum of weight/(z² - square)) with z² = real + i twist: i z conj(z² - square) = ... its real part is
     y (|z|² + square), which never cancels. */
  const double length = x * x + y * y;
  const double real = (x - y) * (x + y);
  const double twist = 2.0 * x * y;
  double sum = whole ? 0.5 / length : 0.0;
  for (int k = 0; k < XR_NODES - whole; k++) {
    const double away = real - square[k];
    sum += weight[k] * (length + square[k]) / (away * away + twist * twist);
  }
  const double smooth = XR_2STEP_PI * y * sum;
  if (y >= XR_PI_STEP) return smooth; /* the residue is below exp(-pi²/h²) from here on */
  /* Residue 2 exp(-z²) / (1 ± exp(-2 pi i z/h)), plus for the nodes between, minus for the whole ones. */
  const double turn = 2.0 * XR_PI_STEP * x;
  const double grown = (whole ? -1.0 : 1.0) * exp(2.0 * XR_PI_STEP * y);
  const double below = 1.0 + grown * cos(turn);
  const double aside = -grown * sin(turn);
  const double size = 2.0 * exp(y * y - x * x) / (below * below + aside * aside);
  return smooth + size * (cos(twist) * below - sin(twist) * aside);
}

#endif
