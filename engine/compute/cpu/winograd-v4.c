/* SPDX-License-Identifier: MIT */
/* Winograd's algorithm for processors with AVX-512. */
#include "compute/cpu/winograd.h"

#ifdef PJ_CPU_HAS_X86_LOOPS
#include <string.h>

#pragma GCC target ("arch=x86-64-v4", "prefer-vector-width=512")
#define LANES 16
/* Of 32 registers 28 hold sums. */
#define MAX_ROWS 14
#define EACH_ROWS(X) X (1) X (2) X (3) X (4) X (5) X (6) X (7) X (8) X (9) X (10) X (11) X (12) X (13) X (14)
#define PJ_CPU_WINOGRAD pj_cpu_winograd_v4
#include "compute/cpu/winograd.inc.h"
#endif
