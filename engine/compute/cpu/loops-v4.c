/* SPDX-License-Identifier: MIT */
/* The inner loops for processors with AVX-512. */
#include "compute/cpu/loops.h"

#ifdef PJ_CPU_HAS_X86_LOOPS
#include <float.h>
#include <string.h>

#pragma GCC target ("arch=x86-64-v4", "prefer-vector-width=512")
#define PJ_CPU_LOOPS pj_cpu_loops_v4
#define PJ_CPU_LOOPS_NAME "AVX-512"
#include "compute/cpu/loops.inc.h"
#endif
