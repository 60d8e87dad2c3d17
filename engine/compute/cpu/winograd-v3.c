/* SPDX-License-Identifier: MIT */
/* Winograd's algorithm for processors with AVX2. */
#include "compute/cpu/winograd.h"

#ifdef PJ_CPU_HAS_X86_LOOPS
#include <string.h>

#pragma GCC target ("arch=x86-64-v3")
#define LANES 8
/* Of 16 registers 12 hold sums. */
#define MAX_ROWS 6
#define EACH_ROWS(X) X (1) X (2) X (3) X (4) X (5) X (6)
#define PJ_CPU_WINOGRAD pj_cpu_winograd_v3
#include "compute/cpu/winograd.inc.h"
#endif
