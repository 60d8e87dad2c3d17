/* SPDX-License-Identifier: MIT */
#include "start.h"

#include <stdlib.h>
#include <unistd.h>

/* About 30 microseconds: longer than from one loop of a network to the next, shorter than a time slice. */
#define SPIN_COUNT "10000"

void
pj_start (char **argv)
{
  if (getenv ("OMP_WAIT_POLICY") != NULL || getenv ("GOMP_SPINCOUNT") != NULL)
    return;
  setenv ("GOMP_SPINCOUNT", SPIN_COUNT, 1);
  /* On failure, for example without /proc, the program just goes on with longer waits. */
  execv ("/proc/self/exe", argv);
}
