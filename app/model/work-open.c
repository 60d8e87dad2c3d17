/* SPDX-License-Identifier: MIT */
/* Networks, data and sessions come in: see work-open.h. */
#include "model/work-open.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gio.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "data/sample.h"
#include "model/work-private.h"
#include "session/model.h"

/* Where Debian's package of this data set puts it. */
#define FASHION_MNIST "/usr/share/datasets/fashion-mnist"

gboolean
pj_work_detect (const char *path, PjFileKind *kind, GError **error)
{
  char magic[16] = { 0 };
  if (g_file_test (path, G_FILE_TEST_IS_DIR)) {
    *kind = PJ_FILE_DATA;
    return TRUE;
  }
  /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  ssize_t n = fd >= 0 ? read (fd, magic, sizeof magic) : -1;
  int reason = errno;
  if (fd >= 0)
    close (fd);
  if (n < 0) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_IO, "cannot read “%s”: %s", path, g_strerror (reason));
    return FALSE;
  }
  *kind = memcmp (magic, "SQLite format 3", sizeof magic) == 0 ? PJ_FILE_SESSION : PJ_FILE_ONNX;
  return TRUE;
}

/* Reads "train=N" and "test=N" joined by "&". */
static gboolean
read_choice (const char *query, unsigned *n_train, unsigned *n_test, GError **error)
{
  g_auto (GStrv) parts = g_strsplit (query, "&", -1);
  for (char **part = parts; *part != NULL; part++) {
    guint64 n;
    const char *number = strchr (*part, '=');
    if (number == NULL || !g_ascii_string_to_unsigned (number + 1, 10, 1, G_MAXINT, &n, NULL)
        || !(g_str_has_prefix (*part, "train=") || g_str_has_prefix (*part, "test="))) {
      g_set_error (error, PJ_ERROR, PJ_ERROR_INVALID,
                   "“%s” is no choice of pictures: write ?train=N, ?test=N or ?train=N&test=N", query);
      return FALSE;
    }
    *(g_str_has_prefix (*part, "train=") ? n_train : n_test) = (unsigned) n;
  }
  return TRUE;
}

static PjDataset *
open_named (const char *name, GError **error)
{
  if (strcmp (name, "sample") == 0)
    return pj_dataset_open_sample (error);
  if (strcmp (name, "fashion-mnist") != 0 || g_file_test (name, G_FILE_TEST_IS_DIR))
    return pj_dataset_open (name, error);
  PjDataset *dataset = pj_dataset_open (FASHION_MNIST, error);
  if (dataset == NULL)
    g_prefix_error (error, "Fashion-MNIST is not installed (package dataset-fashion-mnist): ");
  return dataset;
}

PjDataset *
pj_work_open_data (const char *where, GError **error)
{
  /* A folder may well have a question mark in its name. */
  const char *query = where != NULL && !g_file_test (where, G_FILE_TEST_IS_DIR) ? strrchr (where, '?') : NULL;
  g_autofree char *name = where == NULL ? g_strdup ("sample")
                          : query != NULL ? g_strndup (where, (gsize) (query - where)) : g_strdup (where);
  unsigned n_train = 0, n_test = 0;
  if (query != NULL && !read_choice (query + 1, &n_train, &n_test, error))
    return NULL;
  g_autoptr (PjDataset) all = open_named (name, error);
  if (all == NULL || query == NULL)
    return g_steal_pointer (&all);
  return pj_dataset_subset (all, n_train, n_test, 1);
}

PjGraph *
pj_work_open_sample (GError **error)
{
  g_autoptr (GBytes) bytes = pj_sample_bytes ("vgg-mini.onnx");
  if (bytes != NULL)
    return pj_onnx_import_bytes (bytes, "vgg-mini.onnx", NULL, NULL, NULL, error);
  g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "this build has no bundled network; open an ONNX file instead");
  return NULL;
}

gboolean
pj_work_import (PjSession *session, PjGraph *graph, const char *origin, int64_t *step, GError **error)
{
  *step = 0;
  if (session == NULL)
    return TRUE;
  g_autofree char *base = g_path_get_basename (origin);
  g_autofree char *title = g_strdup_printf ("Open %s", base);
  g_autoptr (PjStepRecord) record = pj_step_record_new (PJ_STEP_IMPORTED, pj_session_put_graph (session, graph, error),
                                                        title);
  record->detail = g_strdup (origin);
  if (record->model == 0 || !pj_session_add_step (session, record, error))
    return FALSE;
  *step = record->id;
  return TRUE;
}

gboolean
pj_work_open_step (PjSession *session, int64_t step, PjWorkPlace *place, GError **error)
{
  memset (place, 0, sizeof *place);
  if (step == 0)
    step = pj_session_current_step (session);
  if (step == 0) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "session “%s” holds no network yet",
                 pj_session_path (session));
    return FALSE;
  }
  place->step = pj_session_get_step (session, step, error);
  place->graph = place->step != NULL ? pj_session_get_graph (session, place->step->model, error) : NULL;
  if (place->graph != NULL) {
    place->groups = pj_groups_new (place->graph);
    place->ratios = g_new (double, MAX (1, pj_groups_n (place->groups)));
    place->plan = pj_stored_cuts_to_plan (place->groups, place->step->cuts, place->ratios, error);
  }
  if (place->plan != NULL)
    return TRUE;
  pj_work_place_clear (place);
  return FALSE;
}

void
pj_work_place_clear (PjWorkPlace *self)
{
  g_clear_pointer (&self->step, pj_step_record_free);
  g_clear_pointer (&self->plan, pj_cut_plan_unref);
  g_clear_pointer (&self->ratios, g_free);
  g_clear_pointer (&self->groups, pj_groups_unref);
  g_clear_pointer (&self->graph, pj_graph_unref);
}

/* --- accuracies --- */

char *
pj_work_percent (double share)
{
  return g_strdup_printf ("%.2f %%", 100.0 * share);
}

char *
pj_work_accuracy_text (double top1, unsigned n)
{
  char number[G_ASCII_DTOSTR_BUF_SIZE];
  return g_strdup_printf ("%s of %u", g_ascii_formatd (number, sizeof number, "%.6g", top1), n);
}

static char *
accuracy_key (int64_t model)
{
  return g_strdup_printf ("accuracy/%" G_GINT64_FORMAT, model);
}

gboolean
pj_work_remember_accuracy (PjSession *session, int64_t model, double top1, unsigned n, GError **error)
{
  g_autofree char *key = accuracy_key (model), *text = pj_work_accuracy_text (top1, n);
  return pj_session_set_meta (session, key, text, error);
}

char *
pj_work_known_accuracy (PjSession *session, int64_t model)
{
  g_autofree char *key = accuracy_key (model);
  return session != NULL ? pj_session_get_meta (session, key) : NULL;
}
