/* SPDX-License-Identifier: MIT */
#include "base/fault.h"

#include <stdatomic.h>

static atomic_int countdown[PJ_N_FAULTS];
static atomic_bool fired[PJ_N_FAULTS];

gboolean
pj_fault (PjFault kind)
{
  if (atomic_load_explicit (&countdown[kind], memory_order_relaxed) <= 0)
    return FALSE;
  if (atomic_fetch_sub (&countdown[kind], 1) != 1)
    return FALSE;
  atomic_store (&fired[kind], TRUE);
  return TRUE;
}

void
pj_fault_arm (PjFault kind, unsigned nth)
{
  atomic_store (&fired[kind], FALSE);
  atomic_store (&countdown[kind], (int) nth);
}

gboolean
pj_fault_fired (PjFault kind)
{
  return atomic_load (&fired[kind]);
}
