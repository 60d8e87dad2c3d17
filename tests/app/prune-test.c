/* SPDX-License-Identifier: MIT */
#include "prune-test.h"

#include <string.h>

#include "session/session.h"

/* --- answers --- */

gboolean
is_answered (gpointer data)
{
  return ((Answer *) data)->done;
}

void
checked_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->outlook = pjm_project_check_prune_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

void
estimated_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->seconds = pjm_project_estimate_prune_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

void
profiled_cb (GObject *project, GAsyncResult *result, gpointer data)
{
  Answer *answer = data;
  answer->profile = pjm_project_profile_finish (PJM_PROJECT (project), result, &answer->error);
  answer->done = TRUE;
}

PjmPruneOutlook *
check (Place *place, const PjmPruneOptions *options)
{
  Answer answer = { 0 };
  pjm_project_check_prune_async (place->project, options, NULL, checked_cb, &answer);
  wait_until (is_answered, &answer);
  g_assert_no_error (answer.error);
  return answer.outlook;
}

void
assert_refused (Place *place, const PjmPruneOptions *options, const char *text)
{
  g_autoptr (PjmPruneOutlook) outlook = check (place, options);
  g_assert_nonnull (outlook->refusal);
  if (strstr (outlook->refusal, text) == NULL)
    g_error ("“%s” does not say “%s”", outlook->refusal, text);
}

guint64
count (Place *place, const char *property)
{
  guint64 value;
  g_object_get (place->project, property, &value, NULL);
  return value;
}

/* --- jobs --- */

PjmJob *
job_at (Place *place, guint i)
{
  GListModel *jobs = pjm_project_get_jobs (place->project);
  g_assert_cmpuint (i, <, n_items (jobs));
  g_autoptr (PjmJob) job = g_list_model_get_item (jobs, i);
  return job;
}

gboolean
is_idle (gpointer project)
{
  gboolean busy;
  g_object_get (project, "busy", &busy, NULL);
  return !busy;
}

char *
kinds_of (Place *place)
{
  g_autoptr (GString) kinds = g_string_new (NULL);
  for (guint i = 0; i < n_items (pjm_project_get_jobs (place->project)); i++) {
    g_autofree char *kind = place_text (job_at (place, i), "kind");
    g_string_append_printf (kinds, "%s%s", i > 0 ? " " : "", kind);
  }
  return g_string_free (g_steal_pointer (&kinds), FALSE);
}

void
assert_kinds (Place *place, const char *wanted)
{
  g_autofree char *kinds = kinds_of (place);
  g_assert_cmpstr (kinds, ==, wanted);
}

void
assert_all_done (Place *place, const char *wanted)
{
  assert_kinds (place, wanted);
  for (guint i = 0; i < n_items (pjm_project_get_jobs (place->project)); i++)
    g_assert_cmpint (pjm_job_get_state (job_at (place, i)), ==, PJM_JOB_DONE);
}

void
restart_killed (Place *place, guint i)
{
  g_autofree char *path = place_text (place->project, "path");
  place_stop (place);
  PjSession *session = pj_session_open (path, 0, NULL);
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, NULL);
  PjJobRecord *record = jobs->pdata[i];
  record->state = PJ_JOB_RUNNING;
  g_assert_true (pj_session_update_job (session, record, NULL));
  pj_session_close (session);
  place_start (place);
  place_open (place, path, NULL);
  g_assert_cmpint (pjm_job_get_state (job_at (place, i)), ==, PJM_JOB_INTERRUPTED);
}

char *
stored_settings (Place *place, guint i)
{
  g_autofree char *path = place_text (place->project, "path");
  g_autoptr (PjSession) session = pj_session_open (path, PJ_SESSION_READ_ONLY, NULL);
  g_assert_nonnull (session);
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, NULL);
  g_assert_cmpuint (i, <, jobs->len);
  return g_strdup (((PjJobRecord *) jobs->pdata[i])->settings);
}

void
assert_has (const char *text, const char *part)
{
  if (strstr (text, part) == NULL)
    g_error ("“%s” has no “%s”", text, part);
}

gboolean
has_progress (gpointer job)
{
  return place_number (job, "fraction") > 0.3;
}

gboolean
has_points (gpointer job)
{
  return pjm_job_n_series (job) > 0;
}

gboolean
has_kinds (gpointer data)
{
  KindsWanted *wanted = data;
  g_autofree char *kinds = kinds_of (wanted->place);
  return strcmp (kinds, wanted->kinds) == 0;
}
