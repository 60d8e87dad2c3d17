/* SPDX-License-Identifier: MIT */
#include "compute/prepare.h"

static gboolean
has_wide_vectors (void)
{
#if defined(__x86_64__)
  __builtin_cpu_init ();
  return __builtin_cpu_supports ("avx512f") && __builtin_cpu_supports ("avx512bw") && __builtin_cpu_supports ("avx512dq")
         && __builtin_cpu_supports ("avx512vl");
#else
  return FALSE;
#endif
}

void
pj_devices_prepare (void)
{
  if (has_wide_vectors ())
    g_setenv ("LP_NATIVE_VECTOR_WIDTH", "512", FALSE);
}
