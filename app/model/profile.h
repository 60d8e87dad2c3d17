/* SPDX-License-Identifier: MIT */
/* Where the time of a network goes: every kernel call, timed on the device.  Included by project.h. */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _PjmProject PjmProject;

/**
 * PjmKernel: one call, in the order in which they run.
 * @layer: name of the layer or node that it belongs to; "" for none, such as the loss
 * @kernel: "conv_bwd_input"; @segment: "forward", "backward" …, translated; both static
 * @output: shape of what it writes, "64×32×28×28"
 * @kind: what the colour says, index in pjm_kernel_kind_title()
 * @ms: median of several runs
 * @flops, @bytes: operations, and bytes that it must move at least
 * @share: of what the device can do at most: 1 where it could not be faster
 */
typedef struct {
  char *layer, *output;
  const char *kernel, *segment;
  guint kind;
  double ms, flops, bytes, share;
} PjmKernel;

#define PJM_N_KERNEL_KINDS 6
/* Translated: "Convolution". */
const char *pjm_kernel_kind_title (guint kind);

/**
 * PjmProfile:
 * @kernels: (element-type PjmKernel): those of every run; folding that is done once per weights is not among them
 * @device: what it ran on
 * @train: one step of training instead of one pass forward
 * @batch: pictures of one run
 * @ms: sum over the calls
 * @memory: peak bytes of activations and scratch
 * @peak_flops, @peak_bytes: what the device does at most, per second, measured too
 */
typedef struct {
  GArray *kernels;
  char *device;
  gboolean train;
  guint batch;
  double ms, peak_flops, peak_bytes;
  guint64 memory;
} PjmProfile;

void pjm_profile_free (PjmProfile *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjmProfile, pjm_profile_free)

/* Times the network on screen as it is, what is marked included, after the jobs before it. */
void pjm_project_profile_async (PjmProject *self, gboolean train, guint batch, GCancellable *cancellable,
                                GAsyncReadyCallback callback, gpointer user_data);
PjmProfile *pjm_project_profile_finish (PjmProject *self, GAsyncResult *result, GError **error);

G_END_DECLS
