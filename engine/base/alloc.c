/* SPDX-License-Identifier: MIT */
/* Large host memory.  Blocks of a few MiB and more come straight from the kernel, which hands out zeros anyway, and in
 * huge pages where it has them: touching 100 MiB for the first time costs 25,000 faults otherwise, more than any pass
 * over it.  Every block has a head in front of it that says where it came from. */
#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/fault.h"

#define HUGE_PAGE ((size_t) 2 << 20)
#define MAP_FROM (2 * HUGE_PAGE)
#define PAGE ((size_t) 64 << 10)        /* a multiple of every page size that is in use */

typedef struct {
  size_t mapped_bytes;      /* with the head; 0: memory of malloc() */
} Head;

G_STATIC_ASSERT (sizeof (Head) <= PJ_ALIGN);

/* Sanitizers watch what malloc() gave, so they get all of it from there. */
#if defined (__SANITIZE_ADDRESS__) || defined (__SANITIZE_THREAD__)
#define MAPS FALSE
#else
#define MAPS TRUE
#endif

/* @size zeroed bytes that start at a huge page; NULL if there are none. */
static char *
map_zeros (size_t size)
{
  size_t whole = size + HUGE_PAGE;
  char *all = whole > size ? mmap (NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) : MAP_FAILED;

  if (all == MAP_FAILED)
    return NULL;
  size_t before = (HUGE_PAGE - (size_t) all % HUGE_PAGE) % HUGE_PAGE, behind = HUGE_PAGE - before;
  if (before > 0)
    munmap (all, before);
  if (behind > 0)
    munmap (all + before + size, behind);
  /* Best effort: without huge pages everything works the same. */
  madvise (all + before, size, MADV_HUGEPAGE);
  return all + before;
}

void *
pj_alloc (size_t size_bytes, const char *what, GError **error)
{
  size_t size, n = MAX (size_bytes, 1);
  gboolean maps = MAPS && n >= MAP_FROM;
  void *memory = NULL;

  if (pj_size_add (n, PJ_ALIGN + PAGE, &size) && size <= G_MAXSSIZE && !pj_fault (PJ_FAULT_ALLOC)) {
    size = pj_size_align (n + PJ_ALIGN, maps ? PAGE : PJ_ALIGN);
    if (maps)
      memory = map_zeros (size);
    else if (posix_memalign (&memory, PJ_ALIGN, size) == 0)
      memset (memory, 0, size);
    else
      memory = NULL;     /* it says nothing of what it left there */
  }
  if (memory != NULL) {
    ((Head *) memory)->mapped_bytes = maps ? size : 0;
    return (char *) memory + PJ_ALIGN;
  }
  g_set_error (error, PJ_ERROR, PJ_ERROR_NO_MEMORY, "no memory for %s: %.1f MiB asked for",
               what ? what : "a buffer", (double) size_bytes / (1024.0 * 1024.0));
  return NULL;
}

void
pj_free (void *memory)
{
  if (memory == NULL)
    return;
  Head *head = (Head *) ((char *) memory - PJ_ALIGN);
  if (head->mapped_bytes > 0)
    munmap (head, head->mapped_bytes);
  else
    free (head);
}
