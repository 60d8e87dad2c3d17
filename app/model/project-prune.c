/* SPDX-License-Identifier: MIT */
/* Pruning by a method with all its settings. */
#include <glib/gi18n-lib.h>

#include "model/tasks-private.h"
#include "model/work-parts.h"
#include "model/work-settings.h"
#include "prune/budget/budget.h"
#include "prune/criterion.h"
#include "prune/method.h"

/* --- what there is to say --- */

GArray *
pjm_project_get_settings (PjmProject *self, const char *name)
{
  GArray *settings = g_array_new (FALSE, FALSE, sizeof (PjmSetting));
  const PjMethod *method = pj_method_find (name);
  for (const PjMethodOption *o = method != NULL ? method->options : NULL; o != NULL && o->name != NULL; o++) {
    PjmSetting setting = { o->name, _(o->about), o->usual, o->least, o->most, o->whole, o->choices,
                           o->zero != NULL ? _(o->zero) : NULL };
    g_array_append_val (settings, setting);
  }
  return settings;
}

const char *
pjm_setting_choice_title (const char *word)
{
  static const struct { const char *word, *title; } titles[] = {
    { "auto", N_("Automatic") }, { "vgg", "VGG" }, { "resnet", "ResNet" }, { "mobilenet", "MobileNet" },
    { "together", N_("All at once") }, { "stages", N_("Stage by stage") }, { "one-by-one", N_("Layer by layer") },
    { "accuracy", N_("Accuracy") }, { "accuracy-and-cost", N_("Accuracy and cost") },
    { "forward", N_("Forward") }, { "reverse", N_("Reverse") }, { "remove", N_("Remove") },
    { "usual", N_("Usual") }, { "published", N_("As published") },
    { "normalised", N_("Normalised") }, { "plain", N_("Plain") },
    { "level", N_("Smallest of each layer") }, { "global", N_("Smallest of all layers") },
    { "quality", N_("Below a share of the deviation") },
  };
  const PjCriterion *criterion = pj_criterion_find (word);
  const PjMethod *method = pj_method_find (word);
  for (guint i = 0; i < G_N_ELEMENTS (titles); i++)
    if (g_str_equal (titles[i].word, word))
      return _(titles[i].title);
  return criterion != NULL ? _(criterion->title) : method != NULL ? _(method->title) : word;
}

gboolean
pjm_project_method_takes_budget (PjmProject *self, const char *name)
{
  const PjMethod *method = pj_method_find (name);
  return method != NULL && (method->gives_scores || method->allocates);
}

gboolean
pjm_project_method_mends (PjmProject *self, const char *name)
{
  const PjMethod *method = pj_method_find (name);
  return method != NULL && method->mends;
}

void
pjm_prune_options_init (PjmPruneOptions *options, const char *method)
{
  *options = (PjmPruneOptions) { .method = method, .keep = PJM_KEEP_MARKED, .share = 0.5, .multiple = 1, .mends = TRUE,
                                 .seed = PJM_SEED };
  pjm_tune_options_init (&options->tune);
  options->tune.kind = PJM_TUNE_NOT;
}

/* --- as the work takes it --- */

G_STATIC_ASSERT (PJM_ROUND_AMC == PJ_ROUND_AMC);

/* The ratios of the layers, one text each; NULL if all stay whole. (transfer full) */
static char **
marked_ratios (PjmProject *self)
{
  PjGroups *groups = self->place->network->groups;
  g_autofree double *ratios = g_new (double, MAX (1u, pj_groups_n (groups)));
  gboolean any = FALSE;
  for (unsigned g = 0; g < pj_groups_n (groups); g++) {
    ratios[g] = self->edits[g].ratio;
    any = any || ratios[g] < 1.0;
  }
  return any ? pj_work_keep (groups, ratios) : NULL;
}

static char **
one_ratio (double share)
{
  char **keep = g_new0 (char *, 2), number[G_ASCII_DTOSTR_BUF_SIZE];
  keep[0] = g_strdup (g_ascii_formatd (number, sizeof number, "%.6g", share));
  return keep;
}

void
pjm_project_fill_choose (PjmProject *self, const PjmPruneOptions *options, PjWorkChoose *choose)
{
  double *const budgets[PJM_N_KEEP] = {
    [PJM_KEEP_MACS] = &choose->macs, [PJM_KEEP_PARAMS] = &choose->params, [PJM_KEEP_MEMORY] = &choose->memory,
    [PJM_KEEP_MS] = &choose->ms,
  };
  pj_work_choose_clear (choose);
  pj_work_choose_init (choose);
  g_free (choose->method);
  choose->method = g_strdup (options->method);
  if (budgets[options->keep] != NULL) {
    *budgets[options->keep] = options->share;
    choose->floor = options->floor;
  } else {
    choose->keep = options->keep == PJM_KEEP_SHARE ? one_ratio (options->share)
                   : options->keep == PJM_KEEP_MARKED ? marked_ratios (self) : NULL;
  }
  choose->multiple = options->multiple == PJM_ROUND_AMC ? PJ_ROUND_AMC : MAX (options->multiple, 1);
  choose->scale = options->mends;
  choose->set = g_strdupv ((char **) options->set);
  choose->n_images = options->n_images;
  choose->seed = options->seed;
  choose->tied = g_strdup (options->tied);
  choose->widths = g_strdup (options->widths);
  choose->constants = g_strdup (options->constants);
}

/* --- doing it --- */

static gboolean
run_choose (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjCutPlan) plan = pj_work_choose (work, self->place->network->groups, &self->choose, NULL, &self->done, error);
  return plan != NULL;
}

static gboolean
run_gap (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjGraph) graph = pj_work_gap (work, PJM_SEED, &self->done, error);
  return graph != NULL;
}

static PjmTask *
make_gap (PjmProject *self, gpointer data, gboolean *skip)
{
  PjmTask *task = pjm_task_new (self, "cut", _("Replace the classifier"), run_gap, FALSE, TRUE);
  if (task != NULL)
    task->cuts_first = task->masks != NULL;
  return task;
}

/* A method that only changed weights has left nothing to cut. */
static PjmTask *
make_cut (PjmProject *self, gpointer data, gboolean *skip)
{
  *skip = !pjm_project_has_masks (self);
  return *skip ? NULL : pjm_task_new_cut (self);
}

static PjmTask *
make_recalibrate (PjmProject *self, gpointer data, gboolean *skip)
{
  return pjm_task_new_recalibrate (self);
}

PjmJob *
pjm_project_replace_classifier (PjmProject *self)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  PjmTask *task = make_gap (self, NULL, NULL);
  return task != NULL ? pjm_task_start (task) : NULL;
}

static void
append_rest (PjmProject *self, PjmFollow **list, const PjmPruneOptions *options)
{
  if (options->cut)
    pjm_follow_append (list, pjm_follow_new (make_cut, NULL, NULL));
  if (options->gap)
    pjm_follow_append (list, pjm_follow_new (make_gap, NULL, NULL));
  if (options->recalibrate)
    pjm_follow_append (list, pjm_follow_new (make_recalibrate, NULL, NULL));
  if (options->tune.kind != PJM_TUNE_NOT)
    pjm_tune_follow (self, list, &options->tune, pjm_step_id (self->current));
}

/* Copies, which outlive what a person asked with. */
typedef struct {
  PjmPruneOptions options;
  char *method, *tied, *widths, *constants;
  char **set;
} Choice;

static void
choice_free (gpointer data)
{
  Choice *self = data;
  g_free (self->method);
  g_free (self->tied);
  g_free (self->widths);
  g_free (self->constants);
  g_strfreev (self->set);
  g_free (self);
}

static Choice *
choice_new (const PjmPruneOptions *options)
{
  Choice *self = g_new0 (Choice, 1);
  self->options = *options;
  self->options.method = self->method = g_strdup (options->method);
  self->options.tied = self->tied = g_strdup (options->tied);
  self->options.widths = self->widths = g_strdup (options->widths);
  self->options.constants = self->constants = g_strdup (options->constants);
  self->set = g_strdupv ((char **) options->set);
  self->options.set = (const char *const *) self->set;
  return self;
}

/* Blocks that were removed before may be all that was asked for. */
static PjmTask *
make_choose (PjmProject *self, gpointer data, gboolean *skip)
{
  const PjmPruneOptions *options = &((Choice *) data)->options;
  const PjMethod *method = pj_method_find (options->method);
  g_autofree char *title = g_strdup_printf (_("Choose by %s"), _(method->title));
  PjmTask *task = pjm_task_new (self, "choose", title, run_choose, method->needs != PJ_NEEDS_NOTHING, TRUE);
  if (task == NULL)
    return NULL;
  pjm_project_fill_choose (self, options, &task->choose);
  if (pj_work_choose_is_asked (&task->choose))
    return task;
  pjm_task_free (task);
  *skip = options->drop_blocks > 0;
  if (!*skip)
    pjm_project_fail (self, _("Nothing would be cut"), _("Set how much each layer keeps first."));
  return NULL;
}

static gboolean
run_gates (PjmTask *self, PjWork *work, GError **error)
{
  g_autoptr (PjGraph) graph = pj_work_gate_blocks (work, self->share, (const char *const *) self->choose.set, self->choose.n_images,
                                                   self->choose.seed, NULL, &self->done, error);
  return graph != NULL;
}

static PjmTask *
make_gates (PjmProject *self, gpointer data, gboolean *skip)
{
  const PjmPruneOptions *options = &((Choice *) data)->options;
  PjmTask *task = pjm_task_new (self, "gate-blocks", _("Train gates of blocks"), run_gates, TRUE, TRUE);
  if (task == NULL)
    return NULL;
  pjm_project_fill_choose (self, options, &task->choose);
  task->share = options->share;
  task->keeps_marks = TRUE;
  return task;
}

static PjmTask *
make_drop (PjmProject *self, gpointer n, gboolean *skip)
{
  return pjm_task_new_drop_blocks (self, GPOINTER_TO_UINT (n));
}

/* --- what a session keeps of it --- */

static const PjField choice_fields[] = {
  { "method", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjmPruneOptions, method) },
  { "keep", PJ_FIELD_INT, G_STRUCT_OFFSET (PjmPruneOptions, keep) },
  { "share", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjmPruneOptions, share) },
  { "floor", PJ_FIELD_DOUBLE, G_STRUCT_OFFSET (PjmPruneOptions, floor) },
  { "multiple", PJ_FIELD_INT, G_STRUCT_OFFSET (PjmPruneOptions, multiple) },
  { "tied", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjmPruneOptions, tied) },
  { "widths", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjmPruneOptions, widths) },
  { "constants", PJ_FIELD_TEXT, G_STRUCT_OFFSET (PjmPruneOptions, constants) },
  { "set", PJ_FIELD_LIST, G_STRUCT_OFFSET (PjmPruneOptions, set) },
  { "mends", PJ_FIELD_BOOL, G_STRUCT_OFFSET (PjmPruneOptions, mends) },
  { "images", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjmPruneOptions, n_images) },
  { "drop-blocks", PJ_FIELD_UINT, G_STRUCT_OFFSET (PjmPruneOptions, drop_blocks) },
  { "seed", PJ_FIELD_UINT64, G_STRUCT_OFFSET (PjmPruneOptions, seed) },
  { NULL }
};

static char *
write_choice (gconstpointer data)
{
  return pj_fields_write (choice_fields, &((const Choice *) data)->options);
}

static gpointer
read_choice (const char *text)
{
  PjmPruneOptions options;
  pjm_prune_options_init (&options, NULL);
  gboolean ok = pj_fields_read (choice_fields, &options, text, NULL) && options.method != NULL
                && pj_method_find (options.method) != NULL && options.keep < PJM_N_KEEP;
  gpointer choice = ok ? choice_new (&options) : NULL;
  pj_fields_clear (choice_fields, &options);
  return choice;
}

static char *
write_drop (gconstpointer n)
{
  return g_strdup_printf ("%u", GPOINTER_TO_UINT (n));
}

static gpointer
read_drop (const char *text)
{
  return GUINT_TO_POINTER ((guint) g_ascii_strtoull (text, NULL, 10));
}

const PjmLink pjm_prune_links[] = {
  { "choose", make_choose, choice_free, write_choice, read_choice },
  { "gate-blocks", make_gates, choice_free, write_choice, read_choice },
  { "drop-blocks", make_drop, NULL, write_drop, read_drop },
  { "cut", make_cut, NULL, NULL, NULL },
  { "replace-classifier", make_gap, NULL, NULL, NULL },
  { "recalibrate", make_recalibrate, NULL, NULL, NULL },
  { NULL }
};

PjmJob *
pjm_project_prune (PjmProject *self, const PjmPruneOptions *options)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self), NULL);
  g_return_val_if_fail (pj_method_find (options->method) != NULL && options->keep < PJM_N_KEEP, NULL);
  PjmFollow *list = NULL;
  if (options->drop_blocks > 0)
    pjm_follow_append (&list, pjm_follow_new (make_drop, GUINT_TO_POINTER (options->drop_blocks), NULL));
  pjm_follow_append (&list, pjm_follow_new (options->keep == PJM_KEEP_BLOCKS ? make_gates : make_choose, choice_new (options), choice_free));
  if (pjm_project_is_ready (self))
    append_rest (self, &list, options);
  return pjm_follow_start (self, list, 0);
}

/* The ratios of the layers, and nothing afterwards. */
PjmJob *
pjm_project_choose (PjmProject *self, const char *name)
{
  g_return_val_if_fail (PJM_IS_PROJECT (self) && name != NULL, NULL);
  PjmPruneOptions options;
  pjm_prune_options_init (&options, name);
  return pjm_project_prune (self, &options);
}
