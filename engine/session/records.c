/* SPDX-License-Identifier: MIT */
/* Cuts and scores of groups, as they lie in the file. */
#include "session/records.h"

PjStoredCut *
pj_stored_cut_new (const char *group, unsigned n_channels, double ratio, const guint8 *keep, const float *scale)
{
  PjStoredCut *self = g_new0 (PjStoredCut, 1);
  self->group = g_strdup (group);
  self->n_channels = n_channels;
  self->ratio = ratio;
  self->keep = g_memdup2 (keep, n_channels);
  self->scale = scale != NULL ? g_memdup2 (scale, n_channels * sizeof (float)) : NULL;
  return self;
}

void
pj_stored_cut_free (PjStoredCut *self)
{
  if (self == NULL)
    return;
  g_free (self->group);
  g_free (self->keep);
  g_free (self->scale);
  g_free (self);
}

PjStoredScore *
pj_stored_score_new (const char *group, unsigned n_channels, const double *score, const char *refusal)
{
  PjStoredScore *self = g_new0 (PjStoredScore, 1);
  self->group = g_strdup (group);
  self->n_channels = n_channels;
  self->score = score != NULL ? g_memdup2 (score, n_channels * sizeof (double)) : NULL;
  self->refusal = g_strdup (refusal);
  return self;
}

void
pj_stored_score_free (PjStoredScore *self)
{
  if (self == NULL)
    return;
  g_free (self->group);
  g_free (self->score);
  g_free (self->refusal);
  g_free (self);
}

static gboolean
refuse_record (PjSession *self, const char *what, GError **error)
{
  g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED, "session “%s” is damaged: %s have the wrong length",
               self->path, what);
  return FALSE;
}

gboolean
pj_store_read_cuts (PjSession *self, GPtrArray *cuts, GError **error, const char *sql, int64_t id)
{
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, sql, "i", id);
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1) {
    int64_t n = sqlite3_column_int64 (row, 2);
    PjStoredCut *cut = g_new0 (PjStoredCut, 1);
    g_ptr_array_add (cuts, cut);
    cut->group = pj_store_text (row, 0);
    cut->ratio = sqlite3_column_double (row, 1);
    cut->n_channels = (unsigned) n;
    cut->keep = n > 0 && n <= G_MAXINT ? pj_store_bytes (row, 3, (size_t) n) : NULL;
    gboolean scaled = sqlite3_column_type (row, 4) != SQLITE_NULL;
    cut->scale = scaled && cut->keep != NULL ? pj_store_bytes (row, 4, (size_t) n * sizeof (float)) : NULL;
    if (cut->keep == NULL || cut->group == NULL || (scaled && cut->scale == NULL))
      return refuse_record (self, "marked channels", error);
  }
  return more == 0;
}

gboolean
pj_store_read_scores (PjSession *self, GPtrArray *scores, GError **error, const char *sql, int64_t id)
{
  g_autoptr (sqlite3_stmt) row = pj_store_query (self, error, sql, "i", id);
  int more = -1;
  while (row != NULL && (more = pj_store_next (self, row, error)) == 1) {
    int64_t n = sqlite3_column_int64 (row, 1);
    PjStoredScore *score = g_new0 (PjStoredScore, 1);
    g_ptr_array_add (scores, score);
    score->group = pj_store_text (row, 0);
    score->n_channels = (unsigned) n;
    score->refusal = pj_store_text (row, 3);
    score->score = n > 0 && n <= G_MAXINT ? pj_store_bytes (row, 2, (size_t) n * sizeof (double)) : NULL;
    if (score->group == NULL || (score->score == NULL && score->refusal == NULL))
      return refuse_record (self, "scores", error);
  }
  return more == 0;
}
