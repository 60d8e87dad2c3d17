/* SPDX-License-Identifier: MIT */
#include "prune/gates/proximal.h"

#include <math.h>

double
pj_soft_threshold (double t, double a)
{
  return copysign (MAX (fabs (t) - a, 0), t);
}

void
pj_sss_step (double *gate, double *speed, const double *grad, int n, double lr, double gamma, double momentum)
{
  for (int c = 0; c < n; c++) {
    double z = pj_soft_threshold (gate[c] - lr * grad[c], lr * gamma);
    speed[c] = z - gate[c] + momentum * speed[c];
    gate[c] = MAX (0, z + momentum * speed[c]);
  }
}

double
pj_fista_pace (double *pace)
{
  if (*pace == 0) {
    *pace = 1;
    return 0;
  }
  double a = *pace;
  *pace = (1 + sqrt (1 + 4 * a * a)) / 2;
  return (a - 1) / *pace;
}

void
pj_fista_step (double *mask, double *before, const double *grad, int n, double lr, double lambda, double lean)
{
  for (int c = 0; c < n; c++) {
    double y = mask[c] + lean * (mask[c] - before[c]);
    before[c] = mask[c];
    mask[c] = MAX (0, pj_soft_threshold (y - lr * grad[c], lr * lambda));
  }
}
