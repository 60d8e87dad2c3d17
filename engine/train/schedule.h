/* SPDX-License-Identifier: MIT */
/* The learning rate of each step. */
#pragma once

#include "train/trainer.h"

G_BEGIN_DECLS

/**
 * pj_schedule_lr:
 * @step: steps done before this one, 0 … @n_steps − 1
 * @steps_per_epoch: batches of one epoch
 * @n_steps: steps of the whole run
 *
 * Depends on its arguments alone, so a resumed run continues exactly.
 */
float pj_schedule_lr (const PjTrainOptions *options, unsigned step, unsigned steps_per_epoch, unsigned n_steps);

G_END_DECLS
