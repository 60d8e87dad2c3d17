/* SPDX-License-Identifier: MIT */
/* What measures the figures.  Private to this folder. */
#pragma once

#include "cli/bench/bench.h"

G_BEGIN_DECLS

/* figures-network.c */
gboolean bench_train (Bench *bench, GError **error);
gboolean bench_memory (Bench *bench, GError **error);
gboolean bench_infer (Bench *bench, GError **error);

/* figures-vulkan.c */
gboolean bench_vulkan_kernels (Bench *bench, GError **error);
gboolean bench_vulkan_train (Bench *bench, GError **error);
gboolean bench_vulkan_start (Bench *bench, GError **error);

/* figures-gpu.c */
gboolean bench_gpu (Bench *bench, GError **error);

/* figures-waits.c */
gboolean bench_preview (Bench *bench, GError **error);
gboolean bench_open (Bench *bench, GError **error);
gboolean bench_cut (Bench *bench, GError **error);
gboolean bench_session (Bench *bench, GError **error);
gboolean bench_statistics (Bench *bench, GError **error);

/* figures-methods.c */
gboolean bench_methods (Bench *bench, GError **error);

G_END_DECLS
