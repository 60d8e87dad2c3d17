/* SPDX-License-Identifier: MIT */
/**
 * PjmProject: an open session, and the one object through which the studio acts on the engine.
 *
 * Everything here runs on the main thread and returns at once.  What a person does is shown first and
 * written behind, in order; what takes time is a job.  See project-private.h for the files.
 */
#include "model/project-private.h"

#include "prune/criterion.h"

G_DEFINE_FINAL_TYPE (PjmProject, pjm_project, G_TYPE_OBJECT)

static GParamSpec *props[PJM_N_PROPS];

enum { FAILED, GRAPH_CHANGED, LOOKED, DATA_CHANGED, SENSITIVITY_CHANGED, DRAWING_CHANGED, N_SIGNALS };
static guint signals[N_SIGNALS];

static PjmStep *
redo_step (PjmProject *self)
{
  return self->current != NULL ? pjm_step_way (self->current) : NULL;
}

static gboolean
can_undo (PjmProject *self)
{
  return self->current != NULL && pjm_step_parent (self->current) != NULL && !self->read_only;
}

static gboolean
can_redo (PjmProject *self)
{
  return redo_step (self) != NULL && !self->read_only;
}

static void
get_cost (PjmProject *self, guint prop, GValue *value)
{
  static const PjCost none;
  const PjCost *before = self->place != NULL ? &self->place->network->cost : &none;
  const PjCost *after = self->place != NULL ? &self->cost_after : &none;
  switch (prop) {
  case PJM_PROP_MACS: g_value_set_uint64 (value, before->macs); break;
  case PJM_PROP_PARAMS: g_value_set_uint64 (value, before->learnable); break;
  case PJM_PROP_SIZE: g_value_set_uint64 (value, pjm_cost_size_bytes (before)); break;
  case PJM_PROP_MACS_AFTER: g_value_set_uint64 (value, after->macs); break;
  case PJM_PROP_PARAMS_AFTER: g_value_set_uint64 (value, after->learnable); break;
  case PJM_PROP_SIZE_AFTER: g_value_set_uint64 (value, pjm_cost_size_bytes (after)); break;
  default: g_assert_not_reached ();
  }
}

static void
pjm_project_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  PjmProject *self = PJM_PROJECT (object);
  switch (id) {
  case PJM_PROP_NAME: g_value_set_string (value, self->place ? pj_graph_get_name (self->place->network->graph) : NULL); break;
  case PJM_PROP_PATH: g_value_set_string (value, self->store ? pj_session_path (self->store->session) : NULL); break;
  case PJM_PROP_OPENING: g_value_set_boolean (value, self->opening); break;
  case PJM_PROP_READY: g_value_set_boolean (value, self->place != NULL); break;
  case PJM_PROP_READ_ONLY: g_value_set_boolean (value, self->read_only); break;
  case PJM_PROP_DATA_NAME: g_value_set_string (value, self->dataset ? pj_dataset_name (self->dataset) : NULL); break;
  case PJM_PROP_DEVICE: g_value_set_string (value, self->device); break;
  case PJM_PROP_CRITERION: g_value_set_string (value, self->criterion); break;
  case PJM_PROP_MACS:
  case PJM_PROP_PARAMS:
  case PJM_PROP_MACS_AFTER:
  case PJM_PROP_PARAMS_AFTER:
  case PJM_PROP_SIZE:
  case PJM_PROP_SIZE_AFTER: get_cost (self, id, value); break;
  case PJM_PROP_BASE_ACCURACY: g_value_set_double (value, self->base_accuracy); break;
  case PJM_PROP_PREVIEW_ACCURACY: g_value_set_double (value, self->preview_accuracy); break;
  case PJM_PROP_PREVIEW_ERROR: g_value_set_double (value, self->preview_error); break;
  case PJM_PROP_PREVIEW_STALE: g_value_set_boolean (value, self->preview_stale); break;
  case PJM_PROP_PREVIEW_COUNT: g_value_set_uint (value, self->preview_count); break;
  case PJM_PROP_TIME: g_value_set_double (value, self->time); break;
  case PJM_PROP_TIME_AFTER: g_value_set_double (value, self->time_after); break;
  case PJM_PROP_CAN_UNDO: g_value_set_boolean (value, can_undo (self)); break;
  case PJM_PROP_CAN_REDO: g_value_set_boolean (value, can_redo (self)); break;
  case PJM_PROP_UNDO_TITLE: g_value_set_string (value, can_undo (self) ? pjm_step_title (self->current) : NULL); break;
  case PJM_PROP_REDO_TITLE: g_value_set_string (value, can_redo (self) ? pjm_step_title (redo_step (self)) : NULL); break;
  case PJM_PROP_MODIFIED_MASKS: g_value_set_boolean (value, pjm_project_has_masks (self)); break;
  case PJM_PROP_BUSY: g_value_set_boolean (value, self->n_active > 0); break;
  case PJM_PROP_OFFER_CPU: g_value_set_boolean (value, self->offer_cpu); break;
  default: G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
  }
}

static void
pjm_project_dispose (GObject *object)
{
  pjm_project_stop (PJM_PROJECT (object));
  G_OBJECT_CLASS (pjm_project_parent_class)->dispose (object);
}

static void
pjm_project_finalize (GObject *object)
{
  PjmProject *self = PJM_PROJECT (object);
  g_clear_object (&self->going_on);
  g_object_unref (self->layers);
  g_object_unref (self->jobs);
  g_object_unref (self->comparisons);
  g_object_unref (self->steps);
  g_ptr_array_unref (self->recent);
  g_clear_pointer (&self->devices, pjm_choices_free);
  g_clear_pointer (&self->view, g_key_file_unref);
  g_free (self->remarks);
  g_clear_pointer (&self->data_seen, pjm_data_free);
  g_clear_pointer (&self->look, pjm_look_free);
  g_free (self->row_ms);
  g_free (self->wanted_folded);
  pjm_drawing_free (self->drawing);
  g_free (self->device);
  g_free (self->state_dir);
  G_OBJECT_CLASS (pjm_project_parent_class)->finalize (object);
}

#define READABLE (G_PARAM_READABLE | G_PARAM_EXPLICIT_NOTIFY | G_PARAM_STATIC_STRINGS)

static void
install_texts_and_flags (void)
{
  static const struct { PjmProp prop; const char *name; } texts[] = {
    { PJM_PROP_NAME, "name" }, { PJM_PROP_PATH, "path" }, { PJM_PROP_DATA_NAME, "data-name" }, { PJM_PROP_DEVICE, "device" },
    { PJM_PROP_CRITERION, "criterion" }, { PJM_PROP_UNDO_TITLE, "undo-title" }, { PJM_PROP_REDO_TITLE, "redo-title" },
  }, flags[] = {
    { PJM_PROP_OPENING, "opening" }, { PJM_PROP_READY, "ready" }, { PJM_PROP_READ_ONLY, "read-only" },
    { PJM_PROP_PREVIEW_STALE, "preview-stale" }, { PJM_PROP_CAN_UNDO, "can-undo" }, { PJM_PROP_CAN_REDO, "can-redo" },
    { PJM_PROP_MODIFIED_MASKS, "modified-masks" }, { PJM_PROP_BUSY, "busy" }, { PJM_PROP_OFFER_CPU, "offer-cpu" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (texts); i++)
    props[texts[i].prop] = g_param_spec_string (texts[i].name, NULL, NULL, NULL, READABLE);
  for (guint i = 0; i < G_N_ELEMENTS (flags); i++)
    props[flags[i].prop] = g_param_spec_boolean (flags[i].name, NULL, NULL, FALSE, READABLE);
}

static void
install_numbers (void)
{
  static const struct { PjmProp prop; const char *name; } counts[] = {
    { PJM_PROP_MACS, "macs" }, { PJM_PROP_PARAMS, "params" }, { PJM_PROP_SIZE, "size" },
    { PJM_PROP_MACS_AFTER, "macs-after" }, { PJM_PROP_PARAMS_AFTER, "params-after" }, { PJM_PROP_SIZE_AFTER, "size-after" },
  }, shares[] = {
    { PJM_PROP_BASE_ACCURACY, "base-accuracy" }, { PJM_PROP_PREVIEW_ACCURACY, "preview-accuracy" },
    { PJM_PROP_PREVIEW_ERROR, "preview-error" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (counts); i++)
    props[counts[i].prop] = g_param_spec_uint64 (counts[i].name, NULL, NULL, 0, G_MAXUINT64, 0, READABLE);
  for (guint i = 0; i < G_N_ELEMENTS (shares); i++)
    props[shares[i].prop] = g_param_spec_double (shares[i].name, NULL, NULL, -1, 1, -1, READABLE);
  props[PJM_PROP_TIME] = g_param_spec_double ("time", NULL, NULL, -1, G_MAXDOUBLE, -1, READABLE);
  props[PJM_PROP_TIME_AFTER] = g_param_spec_double ("time-after", NULL, NULL, -1, G_MAXDOUBLE, -1, READABLE);
  props[PJM_PROP_PREVIEW_COUNT] = g_param_spec_uint ("preview-count", NULL, NULL, 0, G_MAXUINT, 0, READABLE);
}

static void
pjm_project_class_init (PjmProjectClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);
  object_class->get_property = pjm_project_get_property;
  object_class->dispose = pjm_project_dispose;
  object_class->finalize = pjm_project_finalize;
  install_texts_and_flags ();
  install_numbers ();
  g_object_class_install_properties (object_class, PJM_N_PROPS, props);

  signals[FAILED] = g_signal_new ("failed", PJM_TYPE_PROJECT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                                  G_TYPE_STRING, G_TYPE_STRING);
  signals[GRAPH_CHANGED] = g_signal_new ("graph-changed", PJM_TYPE_PROJECT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                         G_TYPE_NONE, 0);
  static const char *const news[] = { "looked", "data-changed", "sensitivity-changed", "drawing-changed" };
  for (guint i = 0; i < G_N_ELEMENTS (news); i++)
    signals[LOOKED + i] = g_signal_new (news[i], PJM_TYPE_PROJECT, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
pjm_project_init (PjmProject *self)
{
  self->layers = g_list_store_new (PJM_TYPE_LAYER);
  self->jobs = g_list_store_new (PJM_TYPE_JOB);
  self->comparisons = g_list_store_new (PJM_TYPE_COMPARISON);
  self->steps = g_list_store_new (PJM_TYPE_STEP);
  self->recent = g_ptr_array_new_with_free_func ((GDestroyNotify) pjm_place_unref);
  self->base_accuracy = self->preview_accuracy = self->preview_error = -1.0;
  self->time = self->time_after = -1.0;
  self->look_row = -1;
  self->view = g_key_file_new ();
  self->criterion = g_intern_static_string (PJM_DEFAULT_CRITERION);
  self->device = g_strdup ("auto");
  g_autoptr (GMainContext) context = g_main_context_ref_thread_default ();
  self->queue = pj_job_queue_new (context);
  self->files = pj_job_queue_new (context);
  self->engine = pjm_engine_new ();
  pjm_project_list_devices (self);
}

PjmProject *
pjm_project_new (const char *state_dir)
{
  PjmProject *self = g_object_new (PJM_TYPE_PROJECT, NULL);
  self->state_dir = state_dir != NULL ? g_strdup (state_dir) : g_build_filename (g_get_user_data_dir (), "penjing", NULL);
  return self;
}

/* --- for the other files --- */

void
pjm_project_notify (PjmProject *self, PjmProp prop)
{
  g_object_notify_by_pspec (G_OBJECT (self), props[prop]);
}

void
pjm_project_fail (PjmProject *self, const char *headline, const char *detail)
{
  g_signal_emit (self, signals[FAILED], 0, headline, detail);
}

gboolean
pjm_project_is_ready (PjmProject *self)
{
  return self->place != NULL && !self->loading && !self->closed;
}

void
pjm_project_emit_looked (PjmProject *self)
{
  g_signal_emit (self, signals[LOOKED], 0);
}

void
pjm_project_emit_data_changed (PjmProject *self)
{
  g_signal_emit (self, signals[DATA_CHANGED], 0);
}

void
pjm_project_emit_drawing_changed (PjmProject *self)
{
  g_signal_emit (self, signals[DRAWING_CHANGED], 0);
}

void
pjm_project_sensitivity_changed (PjmProject *self)
{
  if (self->place == NULL)
    return;
  pjm_project_show_sensitivity (self);
  g_signal_emit (self, signals[SENSITIVITY_CHANGED], 0);
}

static void
fill_layers (PjmProject *self)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func (g_object_unref);
  guint n = self->place->network->rows->len, n_old = g_list_model_get_n_items (G_LIST_MODEL (self->layers));
  /* Somebody may hold an old layer longer than we hold its scores. */
  for (guint i = 0; i < n_old; i++) {
    g_autoptr (PjmLayer) old = g_list_model_get_item (G_LIST_MODEL (self->layers), i);
    pjm_layer_set_scores (old, NULL, NULL, NULL, 0);
  }
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (layers, pjm_layer_new (self->place->network, i));
  g_list_store_splice (self->layers, 0, n_old, layers->pdata, n);
}

void
pjm_project_install (PjmProject *self, PjmPlace *place)
{
  gboolean first = self->place == NULL;
  pjm_project_forget_look (self);
  g_clear_pointer (&self->row_ms, g_free);
  self->scoring_failed = FALSE;
  /* Old layers borrow scores from the old place: they go first. */
  PjmPlace *old = self->place;
  pjm_edits_free (self->edits, old != NULL ? pj_groups_n (old->network->groups) : 0);
  self->edits = NULL;
  self->place = pjm_place_ref (place);
  pjm_project_redraw (self);
  g_object_freeze_notify (G_OBJECT (self));
  fill_layers (self);
  pjm_place_unref (old);
  pjm_project_set_cuts (self, pjm_step_record (self->current)->cuts);
  pjm_project_show_scores (self);
  pjm_project_reset_preview (self);
  for (int prop = PJM_PROP_MACS; prop <= PJM_PROP_SIZE_AFTER; prop++)
    pjm_project_notify (self, (PjmProp) prop);
  pjm_project_notify (self, PJM_PROP_NAME);
  if (first)
    pjm_project_notify (self, PJM_PROP_READY);
  pjm_project_show_edits (self);
  g_object_thaw_notify (G_OBJECT (self));
  pjm_project_measure_time (self);
  g_signal_emit (self, signals[GRAPH_CHANGED], 0);
  pjm_project_read_data (self);
  pjm_project_sensitivity_changed (self);
}

/* --- lists and drawing --- */

GListModel *
pjm_project_get_layers (PjmProject *self)
{
  return G_LIST_MODEL (self->layers);
}

GListModel *
pjm_project_get_jobs (PjmProject *self)
{
  return G_LIST_MODEL (self->jobs);
}

GListModel *
pjm_project_get_comparisons (PjmProject *self)
{
  return G_LIST_MODEL (self->comparisons);
}

GListModel *
pjm_project_get_history (PjmProject *self)
{
  return G_LIST_MODEL (self->steps);
}
