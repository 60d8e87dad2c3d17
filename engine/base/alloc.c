/* SPDX-License-Identifier: MIT */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/fault.h"

void *
pj_alloc (size_t size_bytes, const char *what, GError **error)
{
  void *memory = NULL;
  size_t size = pj_size_align (MAX (size_bytes, 1), PJ_ALIGN);

  if (size >= size_bytes && !pj_fault (PJ_FAULT_ALLOC) && posix_memalign (&memory, PJ_ALIGN, size) == 0)
    return memset (memory, 0, size);
  g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no memory for %s: %.1f MiB asked for",
               what ? what : "a buffer", (double) size_bytes / (1024.0 * 1024.0));
  return NULL;
}

void
pj_free (void *memory)
{
  free (memory);
}
