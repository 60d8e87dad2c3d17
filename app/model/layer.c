/* SPDX-License-Identifier: MIT */
/**
 * PjmLayer: one row of the layer table and one box of the drawing.
 *
 * What belongs to the network is read from its row; what edits change is copied in by the project, which
 * keeps the one state that matters, by group.  Layers of one group are always changed together.
 */
#include "model/layer-private.h"

#include <glib/gi18n-lib.h>
#include <string.h>

#include "model/engine-text.h"

struct _PjmLayer {
  GObject parent;
  PjmNetwork *network;
  const PjmRow *row;
  double keep_ratio, importance, sensitivity, milliseconds;
  guint8 *keep;                 /* NULL keeps all */
  guint kept;
  guint64 params_after, macs_after;
  const double *scores;         /* borrowed from the project */
  char *refusal;
  PjmLayerScores *all;
  guint n_all;
};

G_DEFINE_FINAL_TYPE (PjmLayer, pjm_layer, G_TYPE_OBJECT)

enum {
  PROP_0, PROP_NAME, PROP_KIND, PROP_DETAIL, PROP_SHAPE, PROP_CHANNELS, PROP_KEPT, PROP_KEEP_RATIO, PROP_PARAMS, PROP_MACS,
  PROP_PARAMS_AFTER, PROP_MACS_AFTER, PROP_GROUP, PROP_LOCKED, PROP_LOCK_REASON, PROP_TIES, PROP_IMPORTANCE,
  PROP_SENSITIVITY, PROP_MILLISECONDS, N_PROPS
};
static GParamSpec *props[N_PROPS];

enum { SCORES_CHANGED, MASK_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static void
pjm_layer_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PjmLayer *self = PJM_LAYER (object);
  switch (id) {
  case PROP_NAME: g_value_set_string (value, self->row->name); break;
  case PROP_KIND: g_value_set_string (value, self->row->kind); break;
  case PROP_DETAIL: g_value_set_string (value, self->row->detail); break;
  case PROP_SHAPE: g_value_set_string (value, self->row->shape); break;
  case PROP_CHANNELS: g_value_set_uint (value, self->row->channels); break;
  case PROP_KEPT: g_value_set_uint (value, self->kept); break;
  case PROP_KEEP_RATIO: g_value_set_double (value, self->keep_ratio); break;
  case PROP_PARAMS: g_value_set_uint64 (value, self->row->params); break;
  case PROP_MACS: g_value_set_uint64 (value, self->row->macs); break;
  case PROP_PARAMS_AFTER: g_value_set_uint64 (value, self->params_after); break;
  case PROP_MACS_AFTER: g_value_set_uint64 (value, self->macs_after); break;
  case PROP_GROUP: g_value_set_int (value, self->row->group); break;
  case PROP_LOCKED: g_value_set_boolean (value, self->row->lock_reason != NULL); break;
  case PROP_LOCK_REASON: g_value_take_string (value, pjm_engine_text (self->row->lock_reason)); break;
  case PROP_TIES: g_value_set_string (value, self->row->ties); break;
  case PROP_IMPORTANCE: g_value_set_double (value, self->importance); break;
  case PROP_SENSITIVITY: g_value_set_double (value, self->sensitivity); break;
  case PROP_MILLISECONDS: g_value_set_double (value, self->milliseconds); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
pjm_layer_finalize (GObject *object)
{
  PjmLayer *self = PJM_LAYER (object);
  g_clear_pointer (&self->network, pjm_network_unref);
  g_free (self->keep);
  g_free (self->refusal);
  g_free (self->all);
  G_OBJECT_CLASS (pjm_layer_parent_class)->finalize (object);
}

#define READABLE (G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

static void
pjm_layer_class_init (PjmLayerClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = pjm_layer_get_property;
  object_class->finalize = pjm_layer_finalize;

  props[PROP_NAME] = g_param_spec_string ("name", NULL, NULL, NULL, READABLE);
  props[PROP_KIND] = g_param_spec_string ("kind", NULL, NULL, NULL, READABLE);
  props[PROP_DETAIL] = g_param_spec_string ("detail", NULL, NULL, NULL, READABLE);
  props[PROP_SHAPE] = g_param_spec_string ("shape", NULL, NULL, NULL, READABLE);
  props[PROP_CHANNELS] = g_param_spec_uint ("channels", NULL, NULL, 0, G_MAXUINT, 0, READABLE);
  props[PROP_KEPT] = g_param_spec_uint ("kept", NULL, NULL, 0, G_MAXUINT, 0, READABLE);
  props[PROP_KEEP_RATIO] = g_param_spec_double ("keep-ratio", NULL, NULL, 0, 1, 1, READABLE);
  props[PROP_PARAMS] = g_param_spec_uint64 ("params", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
  props[PROP_MACS] = g_param_spec_uint64 ("macs", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
  props[PROP_PARAMS_AFTER] = g_param_spec_uint64 ("params-after", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
  props[PROP_MACS_AFTER] = g_param_spec_uint64 ("macs-after", NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
  props[PROP_GROUP] = g_param_spec_int ("group", NULL, NULL, -1, G_MAXINT, -1, READABLE);
  props[PROP_LOCKED] = g_param_spec_boolean ("locked", NULL, NULL, FALSE, READABLE);
  props[PROP_LOCK_REASON] = g_param_spec_string ("lock-reason", NULL, NULL, NULL, READABLE);
  props[PROP_TIES] = g_param_spec_string ("ties", NULL, NULL, NULL, READABLE);
  props[PROP_IMPORTANCE] = g_param_spec_double ("importance", NULL, NULL, -1, 1, -1, READABLE);
  props[PROP_SENSITIVITY] = g_param_spec_double ("sensitivity", NULL, NULL, -1, 1, -1, READABLE);
  props[PROP_MILLISECONDS] = g_param_spec_double ("milliseconds", NULL, NULL, -1, G_MAXDOUBLE, -1, READABLE);
  g_object_class_install_properties (object_class, N_PROPS, props);

  signals[SCORES_CHANGED] = g_signal_new ("scores-changed", PJM_TYPE_LAYER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 0);
  signals[MASK_CHANGED] = g_signal_new ("mask-changed", PJM_TYPE_LAYER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 0);
}

static void
pjm_layer_init (PjmLayer *self)
{
  self->keep_ratio = 1.0;
  self->importance = self->sensitivity = self->milliseconds = -1.0;
}

PjmLayer *
pjm_layer_new (PjmNetwork *network, guint row)
{
  PjmLayer *self = g_object_new (PJM_TYPE_LAYER, NULL);
  self->network = pjm_network_ref (network);
  self->row = network->rows->pdata[row];
  self->kept = self->row->channels;
  self->params_after = self->row->params;
  self->macs_after = self->row->macs;
  return self;
}

static void
notify (PjmLayer *self, int prop)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[prop]);
}

/* The weakest channel that stays, on a scale from the weakest to the strongest of the layer. */
static void
update_importance (PjmLayer *self)
{
  double importance = -1.0;
  if (self->scores != NULL) {
    double low = 0.0, high = 0.0, weakest = G_MAXDOUBLE;
    for (guint c = 0; c < self->row->channels; c++) {
      low = MIN (low, self->scores[c]);
      high = MAX (high, self->scores[c]);
      if (self->keep == NULL || self->keep[c])
        weakest = MIN (weakest, self->scores[c]);
    }
    importance = high > low && weakest <= high ? (weakest - low) / (high - low) : 0.0;
  }
  if (importance != self->importance) {
    self->importance = importance;
    notify (self, PROP_IMPORTANCE);
  }
}

void
pjm_layer_set_masks (PjmLayer *self, double keep_ratio, const guint8 *keep)
{
  guint n = self->row->channels, kept = 0;
  for (guint c = 0; c < n; c++)
    kept += keep == NULL || keep[c];
  gboolean mask_differs = (keep == NULL) != (self->keep == NULL) || (keep != NULL && memcmp (keep, self->keep, n) != 0);
  gboolean ratio_differs = keep_ratio != self->keep_ratio, kept_differs = kept != self->kept;
  if (mask_differs) {
    g_free (self->keep);
    self->keep = keep != NULL ? g_memdup2 (keep, n) : NULL;
  }
  self->keep_ratio = keep_ratio;
  self->kept = kept;
  g_object_freeze_notify (G_OBJECT (self));
  if (ratio_differs)
    notify (self, PROP_KEEP_RATIO);
  if (kept_differs)
    notify (self, PROP_KEPT);
  if (mask_differs)
    update_importance (self);
  g_object_thaw_notify (G_OBJECT (self));
  if (mask_differs)
    g_signal_emit (self, signals[MASK_CHANGED], 0);
}

void
pjm_layer_set_cost_after (PjmLayer *self, guint64 params, guint64 macs)
{
  if (params != self->params_after) {
    self->params_after = params;
    notify (self, PROP_PARAMS_AFTER);
  }
  if (macs != self->macs_after) {
    self->macs_after = macs;
    notify (self, PROP_MACS_AFTER);
  }
}

static void
set_number (PjmLayer *self, double *field, double value, int prop)
{
  if (*field == value)
    return;
  *field = value;
  notify (self, prop);
}

void
pjm_layer_set_sensitivity (PjmLayer *self, double sensitivity)
{
  set_number (self, &self->sensitivity, sensitivity, PROP_SENSITIVITY);
}

void
pjm_layer_set_milliseconds (PjmLayer *self, double milliseconds)
{
  set_number (self, &self->milliseconds, milliseconds, PROP_MILLISECONDS);
}

void
pjm_layer_set_scores (PjmLayer *self, const double *scores, const char *refusal, const PjmLayerScores *all, guint n_all)
{
  self->scores = scores;
  g_free (self->refusal);
  self->refusal = pjm_engine_text (refusal);
  g_free (self->all);
  self->all = g_memdup2 (all, n_all * sizeof *all);
  self->n_all = n_all;
  update_importance (self);
  g_signal_emit (self, signals[SCORES_CHANGED], 0);
}

/* --- public --- */

const char *
pjm_layer_get_name (PjmLayer *self)
{
  return self->row->name;
}

int
pjm_layer_get_group (PjmLayer *self)
{
  return self->row->group;
}

guint
pjm_layer_get_channels (PjmLayer *self)
{
  return self->row->channels;
}

guint
pjm_layer_get_kept (PjmLayer *self)
{
  return self->kept;
}

double
pjm_layer_get_keep_ratio (PjmLayer *self)
{
  return self->keep_ratio;
}

gboolean
pjm_layer_get_locked (PjmLayer *self)
{
  return self->row->lock_reason != NULL;
}

double
pjm_layer_get_importance (PjmLayer *self)
{
  return self->importance;
}

double
pjm_layer_get_sensitivity (PjmLayer *self)
{
  return self->sensitivity;
}

double
pjm_layer_get_milliseconds (PjmLayer *self)
{
  return self->milliseconds;
}

guint64
pjm_layer_get_macs_after (PjmLayer *self)
{
  return self->macs_after;
}

const double *
pjm_layer_get_scores (PjmLayer *self)
{
  return self->scores;
}

const char *
pjm_layer_get_refusal (PjmLayer *self)
{
  return self->refusal;
}

const guint8 *
pjm_layer_get_mask (PjmLayer *self)
{
  return self->keep;
}

guint
pjm_layer_n_criteria (PjmLayer *self)
{
  return self->n_all;
}

const char *
pjm_layer_get_criterion (PjmLayer *self, guint i, const double **scores)
{
  g_return_val_if_fail (i < self->n_all, NULL);
  if (scores != NULL)
    *scores = self->all[i].score;
  return self->all[i].criterion;
}

/* --- what can be removed whole --- */

static const PjPart *
block_of (PjmLayer *self)
{
  return self->row->block >= 0 ? pj_parts_get (self->network->parts, (unsigned) self->row->block) : NULL;
}

const char *
pjm_layer_get_block (PjmLayer *self)
{
  const PjPart *block = block_of (self);
  return block != NULL ? block->name : NULL;
}

const char *
pjm_layer_get_block_reason (PjmLayer *self)
{
  const PjPart *block = block_of (self);
  return block != NULL ? block->lock_reason : NULL;
}

gboolean
pjm_layer_can_go (PjmLayer *self)
{
  return self->row->part >= 0;
}

char *
pjm_layer_describe_block (PjmLayer *self)
{
  const PjPart *block = block_of (self);
  PjCost cost;

  if (block == NULL)
    return NULL;
  pj_part_cost (self->network->graph, block, &cost);
  double macs = (double) cost.macs / (double) MAX (1, self->network->cost.macs);
  double params = (double) cost.learnable / (double) MAX (1, self->network->cost.learnable);
  /* Translators: shares of the whole network that a residual block has */
  return g_strdup_printf (_("%.1f %% of the MACs, %.1f %% of the parameters"), 100.0 * macs, 100.0 * params);
}
