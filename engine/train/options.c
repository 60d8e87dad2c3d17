/* SPDX-License-Identifier: MIT */
/* The settings of a training: defaults, limits, and how they read. */
#include "base/error.h"
#include "train/trainer.h"

void
pj_train_options_init (PjTrainOptions *options)
{
  *options = (PjTrainOptions) {
    .epochs = 1, .batch = 64, .lr = 0.05f, .momentum = 0.9f, .weight_decay = 5e-4f, .nesterov = TRUE,
    .schedule = PJ_SCHEDULE_COSINE, .step_epochs = 30, .step_factor = 0.1f, .flip = TRUE, .seed = 1,
    .distill_temperature = 1, .refine_rate = 1,
  };
}

/* What both stages share: SGD as in the authors' program. */
static void
curl (PjTrainOptions *o, unsigned epochs, float lr)
{
  o->epochs = epochs;
  o->max_steps = 0;
  o->batch = 32;
  o->lr = lr;
  o->momentum = 0.9f;
  o->nesterov = FALSE;
  o->weight_decay = 4e-5f;
  o->schedule = PJ_SCHEDULE_COSINE;
  o->warmup_steps = 0;
  o->distill = 0.7f;
}

void
pj_train_options_curl_a (PjTrainOptions *o, unsigned epochs, unsigned n_train)
{
  curl (o, epochs > 0 ? epochs : 150, 0.01f);
  o->warmup_steps = MIN (5 * 10, o->epochs) * (n_train / o->batch) / 10;
  o->mixup = 1;
  o->distill_temperature = 2;
  o->refine = FALSE;
  o->expand = PJ_EXPAND_NO;
  o->own_norms = FALSE;
}

void
pj_train_options_curl_b (PjTrainOptions *o, unsigned epochs)
{
  curl (o, epochs > 0 ? epochs : 16, 1e-4f);
  o->mixup = 0;
  o->distill_temperature = 1;
  o->refine = TRUE;
  o->refine_rate = 1;
  o->expand = PJ_EXPAND_ERASE;
  o->own_norms = TRUE;
}

gboolean
pj_train_options_check (const PjTrainOptions *o, GError **error)
{
  const struct { gboolean ok; const char *what; double value; const char *wanted; } rules[] = {
    { o->epochs > 0 || o->max_steps > 0, "epochs", o->epochs, "at least 1, or a limit of steps" },
    { o->epochs <= 100000, "epochs", o->epochs, "at most 100000" },
    { o->batch >= 1 && o->batch <= 65536, "batch", o->batch, "1 to 65536" },
    { o->lr > 0 && o->lr <= 100, "learning rate", o->lr, "above 0 and at most 100" },
    { o->momentum >= 0 && o->momentum < 1, "momentum", o->momentum, "0 to below 1" },
    { o->weight_decay >= 0 && o->weight_decay < 1, "weight decay", o->weight_decay, "0 to below 1" },
    { o->schedule <= PJ_SCHEDULE_CONSTANT, "schedule", o->schedule, "cosine, step or constant" },
    { o->schedule != PJ_SCHEDULE_STEP || o->step_epochs >= 1, "epochs per step", o->step_epochs, "at least 1" },
    { o->schedule != PJ_SCHEDULE_STEP || (o->step_factor > 0 && o->step_factor <= 1), "step factor", o->step_factor, "above 0 and at most 1" },
    { o->crop >= 0 && o->crop <= 1024, "crop", o->crop, "0 to 1024 pixels" },
    { o->distill >= 0 && o->distill <= 1, "distillation weight", o->distill, "0 to 1" },
    { o->mixup >= 0 && o->mixup <= 4, "mixup", o->mixup, "0 for none, to 4" },
    { o->expand <= PJ_EXPAND_CROP, "expansion", o->expand, "none, erase or crop" },
    { !o->refine || o->distill > 0, "a distillation weight", o->distill, "more than 0 to refine labels" },
    { !o->refine || o->mixup == 0, "label refinement with mixup", o->mixup, "one of both: labels belong to single pictures" },
    { !o->refine || (o->refine_rate >= 0 && o->refine_rate <= 10000), "learning rate of labels", o->refine_rate, "0 to 10000" },
    { o->distill == 0 || (o->distill_temperature > 0 && o->distill_temperature <= 1000), "distillation temperature",
      o->distill_temperature, "above 0 and at most 1000" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (rules); i++)
    if (!rules[i].ok) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID, "%s %g is not possible; use %s", rules[i].what, rules[i].value, rules[i].wanted);
      return FALSE;
    }
  return TRUE;
}

/* Appends @before, @value with a point whatever the language, and @after. */
static void
append_number (GString *text, const char *before, double value, const char *after)
{
  char digits[G_ASCII_DTOSTR_BUF_SIZE];
  g_ascii_formatd (digits, sizeof digits, "%g", value);
  g_string_append_printf (text, "%s%s%s", before, digits, after);
}

char *
pj_train_describe (const PjTrainOptions *o)
{
  static const char *const schedules[] = {
    [PJ_SCHEDULE_COSINE] = "cosine", [PJ_SCHEDULE_STEP] = "step", [PJ_SCHEDULE_CONSTANT] = "constant",
  };
  GString *text = g_string_new (NULL);

  if (o->epochs > 0)
    g_string_append_printf (text, "%u epoch%s, ", o->epochs, o->epochs == 1 ? "" : "s");
  if (o->max_steps > 0)
    g_string_append_printf (text, "at most %u steps, ", o->max_steps);
  g_string_append_printf (text, "batch %u", o->batch);
  append_number (text, ", learning rate ", o->lr, " ");
  g_string_append (text, schedules[o->schedule]);
  if (o->schedule == PJ_SCHEDULE_STEP) {
    append_number (text, " (times ", o->step_factor, " every ");
    g_string_append_printf (text, "%u epochs)", o->step_epochs);
  }
  if (o->warmup_steps > 0)
    g_string_append_printf (text, " after %u warm-up steps", o->warmup_steps);
  append_number (text, o->nesterov ? ", Nesterov momentum " : ", momentum ", o->momentum, "");
  append_number (text, ", weight decay ", o->weight_decay, "");
  if (o->crop > 0)
    g_string_append_printf (text, ", crop %d", o->crop);
  if (o->flip)
    g_string_append (text, ", flip");
  if (o->expand != PJ_EXPAND_NO)
    g_string_append (text, o->expand == PJ_EXPAND_CROP ? ", expanded with crops" : ", expanded");
  if (o->expand != PJ_EXPAND_NO && o->own_norms)
    g_string_append (text, ", norms of the originals");
  if (o->mixup > 0)
    append_number (text, ", mixup ", o->mixup, "");
  if (o->refine)
    append_number (text, ", labels refined at ", o->refine_rate, "");
  if (o->distill > 0) {
    append_number (text, o->refine ? ", label weight " : ", teacher weight ", o->distill, "");
    append_number (text, " at temperature ", o->distill_temperature, "");
  }
  g_string_append_printf (text, ", seed %" G_GUINT64_FORMAT, o->seed);
  return g_string_free (text, FALSE);
}
