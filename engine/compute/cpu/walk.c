/* SPDX-License-Identifier: MIT */
/* The order in which norms pass over planes.  A pass over a large tensor leaves nothing of its beginning in the caches for
 * the next one, so both passes go over a few blocks of channels of all images, then over the next ones.  The threads share
 * the planes of these blocks, each the same ones in both passes, and the second pass begins where the first one ended. */
#include "compute/cpu/norm.h"

#include <omp.h>

/* Per thread: half of a second-level cache. */
#define CACHE_BYTES ((size_t) 512 << 10)

static size_t
block_bytes (const PjCpuWalk *walk)
{
  return (size_t) walk->step->view.n * pj_cpu_plane_elems (walk->step) * sizeof (float) * (size_t) walk->n_tensors;
}

/* Blocks to pass over together: as many as the caches hold, but with several planes for every thread. */
static int
group_size (const PjCpuWalk *walk, int n_threads)
{
  int n_blocks = walk->step->view.n_blocks, n = walk->step->view.n;
  size_t fit = (size_t) n_threads * CACHE_BYTES / MAX (block_bytes (walk), 1);
  int size = CLAMP ((int) MIN (fit, (size_t) n_blocks), MIN ((4 * n_threads + n - 1) / n, n_blocks), n_blocks);
  int n_groups = (n_blocks + size - 1) / size;
  return (n_blocks + n_groups - 1) / n_groups;
}

/* One thread's part in the passes over blocks @k … @k + @width − 1. */
static void
walk_group (const PjCpuWalk *walk, gpointer data, int k, int width, int thread, int n_threads)
{
  gint64 n_planes = (gint64) walk->step->view.n * width;
  int from = (int) (n_planes * thread / n_threads), to = (int) (n_planes * (thread + 1) / n_threads);

  for (int i = to - 1; walk->first != NULL && i >= from; i--)
    walk->first (data, i / width, k + i % width);
  if (walk->join != NULL) {
#pragma omp barrier
    for (int b = width * thread / n_threads; b < width * (thread + 1) / n_threads; b++)
      walk->join (data, k + b);
#pragma omp barrier
  }
  for (int i = from; i < to; i++)
    walk->second (data, i / width, k + i % width);
}

void
pj_cpu_walk (const PjCpuWalk *walk, gpointer data)
{
  int n_blocks = walk->step->view.n_blocks;
  size_t n_elems = (size_t) walk->step->view.n * pj_cpu_padded (walk->step) * (size_t) walk->step->view.hw;
#pragma omp parallel if (n_elems >= PJ_CPU_PARALLEL)
  {
    int thread = omp_get_thread_num (), n_threads = omp_get_num_threads ();
    int size = walk->first != NULL ? group_size (walk, n_threads) : n_blocks;
    for (int k = 0; k < n_blocks; k += size)
      walk_group (walk, data, k, MIN (size, n_blocks - k), thread, n_threads);
  }
}
