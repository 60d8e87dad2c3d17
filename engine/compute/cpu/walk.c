/* SPDX-License-Identifier: MIT */
/* The order in which norms pass over planes.  Threads share them by images, as convolutions do: what a thread finds in its
 * own caches is what it wrote there.  It takes the same planes in both passes and begins the second one where it ended the
 * first.  Going over a few blocks of channels at a time, so that they stay in the caches from one pass to the other, was no
 * faster; the threads then wait for each other more often, which is slow where other programs run. */
#include "compute/cpu/norm.h"

#include <omp.h>

/* One thread's part. */
static void
walk_part (const PjCpuWalk *walk, gpointer data, int thread, int n_threads)
{
  int n_blocks = walk->step->view.n_blocks;
  gint64 n_planes = (gint64) walk->step->view.n * n_blocks;
  gint64 from = n_planes * thread / n_threads, to = n_planes * (thread + 1) / n_threads;

  for (gint64 i = to - 1; walk->first != NULL && i >= from; i--)
    walk->first (data, (int) (i / n_blocks), (int) (i % n_blocks));
  if (walk->join != NULL) {
#pragma omp barrier
    for (int k = n_blocks * thread / n_threads; k < n_blocks * (thread + 1) / n_threads; k++)
      walk->join (data, k);
#pragma omp barrier
  }
  for (gint64 i = from; i < to; i++)
    walk->second (data, (int) (i / n_blocks), (int) (i % n_blocks));
}

void
pj_cpu_walk (const PjCpuWalk *walk, gpointer data)
{
  const PjCpuStep *step = walk->step;
  size_t n_elems = (size_t) step->view.n * (size_t) step->view.n_blocks * pj_cpu_plane_elems (step);
#pragma omp parallel if (n_elems >= PJ_CPU_PARALLEL)
  walk_part (walk, data, omp_get_thread_num (), omp_get_num_threads ());
}
