/* SPDX-License-Identifier: MIT */
/* One row per quantity.  The scale is always the same, dark to bright; what it runs from and to stands in the
 * legend.  A quantity that was not measured yet leaves the boxes neutral and says what would measure it. */
#include <glib/gi18n-lib.h>

#include "format.h"
#include "tint.h"

typedef struct {
  const char *name, *title, *about, *missing;
  double (*value) (PjmLayer *layer);     /* negative: unknown */
  gboolean prunable_only;
  gboolean relative;                     /* the scale ends at the largest value */
  const char *low, *high;                /* (nullable): words at the ends */
} Row;

static double
importance (PjmLayer *layer)
{
  return pjm_layer_get_importance (layer);
}

static double
sensitivity (PjmLayer *layer)
{
  return pjm_layer_get_sensitivity (layer);
}

static double
macs (PjmLayer *layer)
{
  return (double) pjm_layer_get_macs_after (layer);
}

static double
milliseconds (PjmLayer *layer)
{
  return pjm_layer_get_milliseconds (layer);
}

static double
keep (PjmLayer *layer)
{
  guint n = pjm_layer_get_channels (layer);
  return n > 0 ? (double) pjm_layer_get_kept (layer) / n : -1;
}

static const Row rows[PJU_N_TINTS] = {
  [PJU_TINT_IMPORTANCE] = { "importance", N_("Weakest kept channel"),
    N_("Importance of the weakest channel that stays, between the weakest and the strongest of its layer, by the chosen "
       "criterion. Dark layers still carry channels that hardly matter."), NULL, importance, TRUE, FALSE, N_("weak"), N_("strong") },
  [PJU_TINT_SENSITIVITY] = { "sensitivity", N_("Sensitivity"),
    N_("Accuracy that the network loses when this layer alone keeps half of its channels, measured on held-out pictures "
       "before any fine-tuning. Dark layers can give channels away."),
    N_("Measure sensitivity first"), sensitivity, TRUE, TRUE, N_("robust"), NULL },
  [PJU_TINT_MACS] = { "macs", N_("Share of multiply-accumulates"),
    N_("Share of the whole network’s multiply-accumulates that this layer needs with the present cut, counted from the "
       "shapes. Bright layers are where a cut saves most work."), NULL, macs, FALSE, TRUE, NULL, NULL },
  [PJU_TINT_TIME] = { "time", N_("Measured time"),
    N_("Milliseconds for one picture in the uncut layer, measured on the chosen device of this machine; fused norms and "
       "activations count with their layer."), N_("Not measured yet"), milliseconds, FALSE, TRUE, NULL, NULL },
  [PJU_TINT_KEEP] = { "keep", N_("Kept channels"),
    N_("Share of the layer’s channels that stay with the present marks."), NULL, keep, TRUE, FALSE, NULL, NULL },
};

const char *
pju_tint_name (PjuTint tint)
{
  return rows[tint].name;
}

PjuTint
pju_tint_parse (const char *name)
{
  for (guint i = 0; i < PJU_N_TINTS; i++)
    if (g_strcmp0 (rows[i].name, name) == 0)
      return (PjuTint) i;
  return PJU_TINT_IMPORTANCE;
}

const char *
pju_tint_title (PjuTint tint)
{
  return _(rows[tint].title);
}

const char *
pju_tint_about (PjuTint tint)
{
  return _(rows[tint].about);
}

const char *
pju_tint_missing (PjuTint tint)
{
  return rows[tint].missing ? _(rows[tint].missing) : NULL;
}

gboolean
pju_tint_applies (PjuTint tint, PjmLayer *layer)
{
  if (!layer)
    return FALSE;
  return pjm_layer_get_channels (layer) > 0 || (!rows[tint].prunable_only && rows[tint].value (layer) > 0);
}

void
pju_tint_range_init (PjuTintRange *self, PjuTint tint)
{
  *self = (PjuTintRange) { .tint = tint, .high = rows[tint].relative ? 0 : 1 };
}

void
pju_tint_range_add (PjuTintRange *self, PjmLayer *layer)
{
  double value = layer ? rows[self->tint].value (layer) : -1;
  if (value < 0)
    return;
  self->known = TRUE;
  self->sum += value;
  if (rows[self->tint].relative)
    self->high = MAX (self->high, value);
}

double
pju_tint_at (const PjuTintRange *self, PjmLayer *layer)
{
  double value = pju_tint_applies (self->tint, layer) ? rows[self->tint].value (layer) : -1;
  return value < 0 ? -1 : self->high > 0 ? value / self->high : 0;
}

double
pju_tint_at_all (const PjuTintRange *self, const GPtrArray *layers)
{
  double low = 2, high = -1, sum = 0;
  guint n = 0;
  for (guint i = 0; i < layers->len; i++) {
    double t = pju_tint_at (self, layers->pdata[i]);
    if (t < 0)
      continue;
    low = MIN (low, t);
    high = MAX (high, t);
    sum += t;
    n++;
  }
  if (n == 0)
    return -1;
  return self->tint == PJU_TINT_IMPORTANCE ? low : self->tint == PJU_TINT_KEEP ? sum / n : high;
}

static char *
number (const PjuTintRange *self, double value)
{
  if (self->tint == PJU_TINT_TIME)
    return pju_format_milliseconds (value);
  if (self->tint == PJU_TINT_MACS)
    value = self->sum > 0 ? value / self->sum : 0;
  return pju_format_percent (value, 1);
}

char *
pju_tint_text (const PjuTintRange *self, PjmLayer *layer)
{
  double value = pju_tint_applies (self->tint, layer) ? rows[self->tint].value (layer) : -1;
  return value < 0 ? NULL : number (self, value);
}

char *
pju_tint_low (const PjuTintRange *self)
{
  return rows[self->tint].low ? g_strdup (_(rows[self->tint].low)) : number (self, 0);
}

char *
pju_tint_high (const PjuTintRange *self)
{
  return rows[self->tint].high ? g_strdup (_(rows[self->tint].high)) : number (self, self->high);
}
