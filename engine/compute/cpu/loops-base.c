/* SPDX-License-Identifier: MIT */
/* The inner loops for any processor, and the choice between the sets. */
#define PJ_CPU_LOOPS pj_cpu_loops_base
#define PJ_CPU_LOOPS_NAME "plain"
#include "compute/cpu/loops.inc.h"

const PjCpuLoops *
pj_cpu_loops_best (void)
{
#ifdef PJ_CPU_HAS_X86_LOOPS
  if (__builtin_cpu_supports ("x86-64-v4"))
    return &pj_cpu_loops_v4;
  if (__builtin_cpu_supports ("x86-64-v3"))
    return &pj_cpu_loops_v3;
#endif
  return &pj_cpu_loops_base;
}
