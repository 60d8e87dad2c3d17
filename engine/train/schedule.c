/* SPDX-License-Identifier: MIT */
#include "train/schedule.h"

#include <math.h>

static double
cosine (const PjTrainOptions *o, unsigned step, unsigned steps_per_epoch, unsigned n_steps)
{
  unsigned total = n_steps - MIN (o->warmup_steps, n_steps), i = step - MIN (o->warmup_steps, step);
  return total > 0 ? 0.5 * o->lr * (1 + cos (G_PI * i / total)) : o->lr;
}

static double
steps_down (const PjTrainOptions *o, unsigned step, unsigned steps_per_epoch, unsigned n_steps)
{
  return o->lr * pow (o->step_factor, step / steps_per_epoch / MAX (o->step_epochs, 1));
}

static double
constant (const PjTrainOptions *o, unsigned step, unsigned steps_per_epoch, unsigned n_steps)
{
  return o->lr;
}

float
pj_schedule_lr (const PjTrainOptions *options, unsigned step, unsigned steps_per_epoch, unsigned n_steps)
{
  static double (*const rules[]) (const PjTrainOptions *, unsigned, unsigned, unsigned) = {
    [PJ_SCHEDULE_COSINE] = cosine, [PJ_SCHEDULE_STEP] = steps_down, [PJ_SCHEDULE_CONSTANT] = constant,
  };
  if (step < options->warmup_steps)
    return (float) ((double) options->lr * step / options->warmup_steps);
  return (float) rules[options->schedule] (options, step, steps_per_epoch, n_steps);
}
