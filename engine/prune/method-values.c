/* SPDX-License-Identifier: MIT */
/* The settings of a method's own, and how long it is going to take. */
#include <string.h>

#include "base/alloc.h"
#include "compute/plan.h"
#include "prune/scores/calibration.h"
#include "prune/scores/kl-cost.h"
#include "prune/method.h"

/* --- values --- */

static int
find_option (const PjMethod *self, const char *name, size_t length)
{
  for (int i = 0; self->options != NULL && self->options[i].name != NULL; i++)
    if (strlen (self->options[i].name) == length && strncmp (self->options[i].name, name, length) == 0)
      return i;
  return -1;
}

static gboolean
read_value (const PjMethodOption *option, const char *text, double *value)
{
  char *end;

  if (option->choices != NULL) {
    for (int i = 0; option->choices[i] != NULL; i++)
      if (g_str_equal (option->choices[i], text)) {
        *value = i;
        return TRUE;
      }
    return FALSE;
  }
  *value = g_ascii_strtod (text, &end);
  return end != text && *end == '\0' && *value >= option->least && *value <= option->most
         && (!option->whole || *value == (double) (gint64) *value);
}

/* "a whole number from 1 to 100", "one of auto, vgg" */
static char *
describe_range (const PjMethodOption *option)
{
  if (option->choices != NULL) {
    g_autofree char *words = g_strjoinv (", ", (char **) option->choices);
    return g_strdup_printf ("one of %s", words);
  }
  return g_strdup_printf ("a %snumber from %g to %g", option->whole ? "whole " : "", option->least, option->most);
}

static gboolean
take_setting (const PjMethod *self, const char *setting, double *values, GError **error)
{
  const char *equals = strchr (setting, '=');
  int i = equals != NULL ? find_option (self, setting, (size_t) (equals - setting)) : -1;

  if (i < 0) {
    g_autoptr (GString) names = g_string_new (NULL);
    for (int k = 0; self->options != NULL && self->options[k].name != NULL; k++)
      g_string_append_printf (names, "%s%s", k > 0 ? ", " : "", self->options[k].name);
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "%s has no setting “%.*s”; %s%s", self->title,
                 equals != NULL ? (int) (equals - setting) : (int) strlen (setting), setting,
                 names->len > 0 ? "it has " : "it has none", names->str);
    return FALSE;
  }
  if (!read_value (&self->options[i], equals + 1, &values[i])) {
    g_autofree char *range = describe_range (&self->options[i]);
    g_set_error (error, PJ_PRUNE_ERROR, PJ_PRUNE_ERROR_SETTING, "%s: “%s” cannot be %s; use %s", self->title,
                 self->options[i].name, equals + 1, range);
    return FALSE;
  }
  return TRUE;
}

double *
pj_method_values (const PjMethod *self, const char *const *set, GError **error)
{
  unsigned n = 0;
  while (self->options != NULL && self->options[n].name != NULL)
    n++;
  g_autofree double *values = g_new (double, n + 1);

  for (unsigned i = 0; i < n; i++)
    values[i] = self->options[i].usual;
  for (; set != NULL && *set != NULL; set++)
    if (!take_setting (self, *set, values, error))
      return NULL;
  return g_steal_pointer (&values);
}

double
pj_method_value (const PjMethod *self, const PjPruneSettings *settings, const char *name)
{
  int i = find_option (self, name, strlen (name));
  g_return_val_if_fail (i >= 0, 0);
  return settings->values != NULL ? settings->values[i] : self->options[i].usual;
}

/* --- estimate --- */

#define BATCH 16

/* Seconds per picture of one batch of grey pictures; the second of two runs is timed. */
static gboolean
time_batch (const PjScoring *scoring, gboolean train, double *seconds, GError **error)
{
  const PjValue *input = pj_graph_value (scoring->graph, pj_graph_get_input (scoring->graph));
  PjPlanOptions options = { .batch = BATCH, .mode = train ? PJ_PLAN_TRAIN : PJ_PLAN_INFER, .cross_entropy = train };
  int32_t labels[BATCH] = { 0 };
  PjStep step = { 0 };
  gint64 start = 0;
  g_autoptr (PjParams) params = pj_params_new (scoring->device, scoring->graph, train, error);
  g_autoptr (PjPlan) plan = params != NULL ? pj_plan_new (scoring->graph, params, &options, error) : NULL;
  size_t n = MAX (pj_shape_n_elems (&input->shape), pj_graph_n_classes (scoring->graph)) * BATCH;
  float *pixels = plan != NULL ? pj_alloc (n * sizeof (float), "pictures of one batch", error) : NULL;
  gboolean ok = pixels != NULL;

  for (int i = 0; ok && i < 2; i++) {
    start = g_get_monotonic_time ();
    memset (pixels, 0, n * sizeof (float));
    ok = pj_plan_set_images (plan, pixels, error) && (!train || pj_plan_set_labels (plan, labels, error))
         && (train ? pj_plan_train (plan, &step, error) : pj_plan_forward (plan, NULL, error))
         && pj_plan_read_logits (plan, pixels, error);
  }
  pj_free (pixels);
  *seconds = (double) (g_get_monotonic_time () - start) / G_USEC_PER_SEC / BATCH;
  return ok;
}

gboolean
pj_method_pictures (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, double *forward,
                    double *trained)
{
  *forward = *trained = 0;
  if (self->work != NULL) {
    self->work (self, scoring, settings, forward, trained);
    return TRUE;
  }
  if (self->needs & PJ_NEEDS_GRADIENTS)
    *trained = pj_calibration_count (scoring, PJ_DEFAULT_GRADIENT_IMAGES);
  if (self->needs & PJ_NEEDS_STATS)
    *forward = pj_calibration_count (scoring, PJ_DEFAULT_IMAGES);
  /* A pass of its own over gradients. */
  if (self->criterion != NULL && self->criterion->score_all != NULL && (self->needs & PJ_NEEDS_LABELS))
    *trained = pj_calibration_count (scoring, PJ_DEFAULT_GRADIENT_IMAGES);
  /* What runs the network once per channel. */
  if (self->needs == PJ_NEEDS_IMAGES)
    *forward = pj_kl_cost_passes (scoring);
  return self->needs == PJ_NEEDS_NOTHING || *trained + *forward > 0;
}

gboolean
pj_estimate_pictures (const PjScoring *scoring, double forward, double trained, double *seconds, GError **error)
{
  double each;

  *seconds = 0;
  if (forward > 0) {
    if (!time_batch (scoring, FALSE, &each, error))
      return FALSE;
    *seconds += forward * each;
  }
  if (trained > 0) {
    if (!time_batch (scoring, TRUE, &each, error))
      return FALSE;
    *seconds += trained * each;
  }
  return TRUE;
}

gboolean
pj_method_estimate (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, double *seconds,
                    GError **error)
{
  double forward, trained;

  *seconds = -1;
  return !pj_method_pictures (self, scoring, settings, &forward, &trained)
         || pj_estimate_pictures (scoring, forward, trained, seconds, error);
}
