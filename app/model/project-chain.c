/* SPDX-License-Identifier: MIT */
/* Jobs that start by themselves when the one before has ended well.
 *
 *   in memory   PjmFollow: the links that are still to come, with the task that runs or the job that was stopped
 *   stored      in the settings of each job: "follow", what was still to come then, and "after", the job before it
 *
 * A program that ends, however it ends, leaves records from which the rest can be told:
 *
 *   the job was stopped and can go on          its rest comes after it once it was resumed
 *   the job is done, and no job came after     its rest can go on, unless a person stopped it there
 *   it came, but was cut off and cannot go on  the same: it is made again
 */
#include <glib/gi18n-lib.h>

#include "model/tasks-private.h"
#include "model/work-settings.h"

PjmFollow *
pjm_follow_new (PjmFollowFunc make, gpointer data, GDestroyNotify destroy)
{
  PjmFollow *self = g_new0 (PjmFollow, 1);
  *self = (PjmFollow) { make, data, destroy, NULL };
  return self;
}

void
pjm_follow_append (PjmFollow **list, PjmFollow *follow)
{
  while (*list != NULL)
    list = &(*list)->next;
  *list = follow;
}

static void
follow_free (PjmFollow *self)
{
  if (self->destroy != NULL)
    self->destroy (self->data);
  g_free (self);
}

void
pjm_follow_free_all (PjmFollow *list)
{
  while (list != NULL) {
    PjmFollow *next = list->next;
    follow_free (list);
    list = next;
  }
}

#define FOLLOW_KEY "pjm-follow"

void
pjm_job_set_follow (PjmJob *job, PjmFollow *list)
{
  g_object_set_data_full (G_OBJECT (job), FOLLOW_KEY, list, (GDestroyNotify) pjm_follow_free_all);
}

PjmFollow *
pjm_job_take_follow (PjmJob *job)
{
  return g_object_steal_data (G_OBJECT (job), FOLLOW_KEY);
}

PjmJob *
pjm_follow_start (PjmProject *project, PjmFollow *list, gint64 after)
{
  gboolean skip = TRUE;
  while (list != NULL && skip) {
    PjmFollow *next = list->next;
    skip = FALSE;
    PjmTask *task = list->make (project, list->data, &skip);
    follow_free (list);
    if (task != NULL) {
      task->follow = next;
      task->after = after;
      return pjm_task_start (task);
    }
    list = next;
  }
  pjm_follow_free_all (list);
  return NULL;
}

/* --- as text --- */

/* One line each: "recalibrate", "fine-tune epochs 4\\nlr 0.02 …" */
typedef struct {
  char **links;
} Chain;

static const PjField fields[] = { { "link", PJ_FIELD_LIST, G_STRUCT_OFFSET (Chain, links) }, { NULL } };

static const PjmLink *
find_link (PjmFollowFunc make, const char *name)
{
  const PjmLink *tables[] = { pjm_prune_links, pjm_tune_links };
  for (guint i = 0; i < G_N_ELEMENTS (tables); i++)
    for (const PjmLink *link = tables[i]; link->name != NULL; link++)
      if (make != NULL ? link->make == make : g_strcmp0 (link->name, name) == 0)
        return link;
  return NULL;
}

char *
pjm_follow_write (const PjmFollow *list)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (const PjmFollow *one = list; one != NULL; one = one->next) {
    const PjmLink *link = find_link (one->make, NULL);
    /* A chain with a hole in it would do something else. */
    if (link == NULL)
      return NULL;
    g_autofree char *text = link->write != NULL ? link->write (one->data) : NULL;
    g_autofree char *line = text != NULL ? g_strdup_printf ("%s %s", link->name, text) : g_strdup (link->name);
    g_strv_builder_add (builder, line);
  }
  g_auto (GStrv) links = g_strv_builder_end (builder);
  Chain chain = { links };
  return list != NULL ? pj_fields_write (fields, &chain) : NULL;
}

PjmFollow *
pjm_follow_read (const char *text)
{
  Chain chain = { NULL };
  PjmFollow *list = NULL;
  gboolean ok = text != NULL && pj_fields_read (fields, &chain, text, NULL);
  for (guint i = 0; ok && chain.links != NULL && chain.links[i] != NULL; i++) {
    g_auto (GStrv) parts = g_strsplit (chain.links[i], " ", 2);
    const PjmLink *link = find_link (NULL, parts[0]);
    gpointer data = link != NULL && link->read != NULL ? link->read (parts[1] != NULL ? parts[1] : "") : NULL;
    ok = link != NULL && (link->read == NULL || data != NULL);
    if (ok)
      pjm_follow_append (&list, pjm_follow_new (link->make, data, link->destroy));
  }
  pj_fields_clear (fields, &chain);
  if (!ok)
    g_clear_pointer (&list, pjm_follow_free_all);
  return list;
}

/* --- after the program ended --- */

static gint64
job_before (const PjJobRecord *record)
{
  g_autofree char *text = pj_settings_get (record->settings, "after");
  return text != NULL ? g_ascii_strtoll (text, NULL, 10) : 0;
}

/* Somebody came after @record who is done, or can go on with the rest. */
static gboolean
is_followed (const GPtrArray *records, const PjJobRecord *record)
{
  for (guint i = 0; i < records->len; i++) {
    const PjJobRecord *other = records->pdata[i];
    if (job_before (other) == record->id && (other->state == PJ_JOB_DONE || pjm_task_kind_can_resume (other->kind)))
      return TRUE;
  }
  return FALSE;
}

#define TEXT_KEY "pjm-follow-text"

gboolean
pjm_chain_is_open (const GPtrArray *records, const PjJobRecord *record)
{
  g_autofree char *text = pj_settings_get (record->settings, "follow");
  return text != NULL && record->state == PJ_JOB_DONE && !is_followed (records, record);
}

void
pjm_chain_take_stored (PjmJob *job, const PjJobRecord *record)
{
  char *text = pj_settings_get (record->settings, "follow");
  if (text != NULL && record->state != PJ_JOB_DONE)
    pjm_job_set_follow (job, pjm_follow_read (text));
  g_object_set_data_full (G_OBJECT (job), TEXT_KEY, text, g_free);
}

static gboolean
leads_to (PjmStep *ancestor, PjmStep *step)
{
  while (step != NULL && step != ancestor)
    step = pjm_step_parent (step);
  return step == ancestor;
}

/* The last step that the job made, or NULL. */
static PjmStep *
step_of_job (PjmProject *project, gint64 job)
{
  PjmStep *found = NULL;
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (project->steps)); i++) {
    g_autoptr (PjmStep) step = g_list_model_get_item (G_LIST_MODEL (project->steps), i);
    if (pjm_step_record (step)->job == job && !pjm_step_is_deleted (step))
      found = step;
  }
  return found;
}

gboolean
pjm_chain_go_on (PjmProject *project, PjmJob *job)
{
  PjmStep *made = step_of_job (project, pjm_job_get_id (job));
  if (made != NULL && !leads_to (made, project->current))
    pjm_project_go_to_step (project, made);
  /* Its network is on its way: then. */
  if (project->loading) {
    g_set_object (&project->going_on, job);
    return TRUE;
  }
  PjmFollow *list = pjm_follow_read (g_object_get_data (G_OBJECT (job), TEXT_KEY));
  if (list == NULL) {
    pjm_project_fail (project, _("What was to follow cannot be read"), _("Another version of the program stored it; start it by hand."));
    return FALSE;
  }
  PjmJob *next = pjm_follow_start (project, list, pjm_job_get_id (job));
  if (next != NULL)
    pjm_job_set_can_resume (job, FALSE);
  return next != NULL;
}

void
pjm_chain_loaded (PjmProject *project)
{
  g_autoptr (PjmJob) job = g_steal_pointer (&project->going_on);
  if (job != NULL)
    pjm_chain_go_on (project, job);
}

void
pjm_chain_drop (PjmProject *project, gint64 job)
{
  g_autofree char *key = g_strdup_printf (PJM_META_JOB_DISMISSED " %" G_GINT64_FORMAT, job);
  pjm_project_write_meta (project, key, "yes");
}
