/* SPDX-License-Identifier: MIT */
/* What the engine thread keeps from task to task: the device, and the preview's plan.  Only tasks of the
 * engine's queue touch it; the project frees it after that thread has ended. */
#pragma once

#include "compute/device.h"
#include "model/network-private.h"
#include "train/evaluate.h"

G_BEGIN_DECLS

typedef struct {
  PjDevice *device;
  char *device_id;              /* as it was asked for */
  PjEvaluator *evaluator;
  PjmNetwork *network;          /* of the evaluator */
  PjDataset *dataset;           /* of the evaluator */
} PjmEngine;

PjmEngine *pjm_engine_new (void);
void pjm_engine_free (PjmEngine *self);

/* Opens @id ("auto" too) unless it is open already. (transfer none) */
PjDevice *pjm_engine_open (PjmEngine *self, const char *id, GError **error);
/* Who hears of kernels being compiled: the task that runs. NULL when it ends. */
void pjm_engine_set_hooks (PjmEngine *self, const PjHooks *hooks);
/* TRUE if @error says that the device is of no more use; it is closed then. */
gboolean pjm_engine_check_lost (PjmEngine *self, const GError *error);
/* Accuracy of @network with @masks (nullable) on the first @n test pictures; keeps the plan for the next. */
gboolean pjm_engine_evaluate (PjmEngine *self, PjmNetwork *network, PjDataset *dataset, unsigned n, const PjCutPlan *masks,
                              const PjHooks *hooks, PjAccuracy *accuracy, GError **error);

G_END_DECLS
