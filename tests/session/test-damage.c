/* SPDX-License-Identifier: MIT */
/* Files that are not what they should be, and disks that do not take what they are given: a clear
 * error each time, never a crash, and nothing lost that was stored before. */
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "session-test.h"
#include "session/schema.h"

/* A session with a network, two steps, a job and a checkpoint. Returns the id of the model. */
static int64_t
fill (const Place *place)
{
  PjSession *session = session_make (place);
  g_autoptr (PjBlob) blob = blob_make (1.0f, 20000);
  int64_t model = model_make (session, "network", blob);
  step_make (session, model, "import");
  step_make (session, model, "ratio");
  g_autoptr (PjJobRecord) job = pj_job_record_new ("train", "Train", NULL);
  g_assert_true (pj_session_add_job (session, job, NULL));
  for (int i = 0; i < 2; i++) {
    g_autoptr (GBytes) state = g_bytes_new (pj_blob_data (blob), 40000);
    g_assert_true (pj_session_put_checkpoint (session, job->id, &(PjCheckpoint) { i, 0, 0, state }, NULL));
  }
  pj_session_close (session);
  return model;
}

static void
expect (const Place *place, PjSessionFlags flags, PjStoreError code)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (pj_session_open (place->path, flags, &error));
  g_assert_error (error, PJ_STORE_ERROR, (int) code);
  g_assert_nonnull (strstr (error->message, "a.penjing"));
}

static void
test_missing (Place *place, gconstpointer data)
{
  expect (place, 0, PJ_STORE_ERROR_MISSING);
}

static void
test_other_files (Place *place, gconstpointer data)
{
  g_file_set_contents (place->path, "", 0, NULL);
  expect (place, 0, PJ_STORE_ERROR_NOT_A_SESSION);
  g_file_set_contents (place->path, "just a text", -1, NULL);
  expect (place, PJ_SESSION_CREATE, PJ_STORE_ERROR_NOT_A_SESSION);
  g_remove (place->path);

  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (place->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "CREATE TABLE a (b)", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  expect (place, PJ_SESSION_CREATE, PJ_STORE_ERROR_NOT_A_SESSION);
}

static void
test_newer (Place *place, gconstpointer data)
{
  fill (place);
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (place->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "PRAGMA user_version = 999", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  expect (place, 0, PJ_STORE_ERROR_NEWER);
}

/* Every older version is brought up to date, with a copy of the old file beside it. */
static void
test_migration (Place *place, gconstpointer data)
{
  for (int from = 1; from < PJ_SCHEMA_VERSION; from++) {
    sqlite3 *db;
    g_assert_cmpint (sqlite3_open (place->path, &db), ==, SQLITE_OK);
    g_assert_true (pj_schema_migrate (db, place->path, 0, from, NULL));
    g_assert_cmpint (sqlite3_exec (db, "INSERT INTO meta VALUES ('data', '/pictures')", NULL, NULL, NULL), ==, SQLITE_OK);
    sqlite3_close (db);

    PjSession *session = session_make (place);
    g_autofree char *text = pj_session_get_meta (session, "data");
    g_assert_cmpstr (text, ==, "/pictures");
    g_autoptr (PjComparisonRecord) comparison = pj_comparison_record_new ("x");
    g_assert_true (pj_session_add_comparison (session, comparison, NULL));
    pj_session_close (session);

    g_autofree char *copy = g_strdup_printf ("%s.before-v%d", place->path, PJ_SCHEMA_VERSION);
    sqlite3_stmt *statement;
    g_assert_cmpint (sqlite3_open (copy, &db), ==, SQLITE_OK);
    g_assert_cmpint (sqlite3_prepare_v2 (db, "PRAGMA user_version", -1, &statement, NULL), ==, SQLITE_OK);
    g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
    g_assert_cmpint (sqlite3_column_int (statement, 0), ==, from);
    sqlite3_finalize (statement);
    sqlite3_close (db);
    g_remove (place->path);
  }
}

/* Reads all there is; what is wrong must be an error. */
static void
read_all (PjSession *session, int64_t model)
{
  g_autoptr (GPtrArray) steps = pj_session_list_steps (session, NULL);
  for (guint i = 0; steps != NULL && i < steps->len; i++) {
    g_autoptr (PjStepRecord) step = pj_session_get_step (session, ((PjStepRecord *) steps->pdata[i])->id, NULL);
  }
  g_autoptr (GBytes) onnx = pj_session_get_model (session, model, NULL);
  g_assert_true (onnx == NULL || g_bytes_get_size (onnx) == 7);
  g_autoptr (PjBlob) blob = blob_make (1.0f, 20000);
  g_autoptr (PjBlob) back = pj_session_get_blob (session, pj_blob_hash (blob), NULL);
  g_assert_true (back == NULL || pj_blob_n_elems (back) == 20000);
  g_autoptr (GPtrArray) jobs = pj_session_list_jobs (session, NULL);
  g_autoptr (GPtrArray) comparisons = pj_session_list_comparisons (session, NULL);
  PjCheckpoint checkpoint = { 0 };
  if (pj_session_get_checkpoint (session, 1, &checkpoint, NULL))
    pj_checkpoint_clear (&checkpoint);
}

/* Either the damage is noticed, or it fell on bytes without meaning and everything read is right. */
static void
test_flipped (Place *place, gconstpointer data)
{
  int64_t model = fill (place);
  g_autofree char *bytes = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (place->path, &bytes, &size, NULL));
  unsigned noticed = 0;
  for (unsigned i = 0; i < 120; i++) {
    g_autofree char *damaged = g_memdup2 (bytes, size);
    gsize at = i < 40 ? i * 3 : (gsize) ((guint64) i * 2654435761u % size);
    for (gsize k = at; k < MIN (at + 16, size); k++)
      damaged[k] ^= (char) (0x55 + i);
    g_assert_true (g_file_set_contents (place->path, damaged, (gssize) size, NULL));
    g_autoptr (GError) error = NULL;
    g_autoptr (PjSession) session = pj_session_open (place->path, 0, &error);
    noticed += session == NULL;
    if (session == NULL)
      g_assert_true (error != NULL && strstr (error->message, "a.penjing") != NULL);
    else
      read_all (session, model);
  }
  g_assert_cmpuint (noticed, >, 10);
}

static void
test_truncated (Place *place, gconstpointer data)
{
  int64_t model = fill (place);
  g_autofree char *bytes = NULL;
  gsize size;
  g_assert_true (g_file_get_contents (place->path, &bytes, &size, NULL));
  for (gsize length = 1; length < size; length += length < 200 ? 17 : 5000) {
    g_assert_true (g_file_set_contents (place->path, bytes, (gssize) length, NULL));
    g_autoptr (GError) error = NULL;
    g_autoptr (PjSession) session = pj_session_open (place->path, 0, &error);
    g_assert_true ((session == NULL) == (error != NULL));
    if (session != NULL)
      read_all (session, model);
  }
}

/* A changed tensor is noticed although the database as such is fine. */
static void
test_changed_tensor (Place *place, gconstpointer data)
{
  fill (place);
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (place->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, "UPDATE blob SET data = zeroblob (80000); UPDATE model SET onnx = x'00';"
                                 "UPDATE checkpoint SET state = x'00' WHERE id = 2", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  g_autoptr (PjSession) session = session_make (place);
  g_autoptr (GError) error = NULL;
  g_autoptr (PjBlob) blob = blob_make (1.0f, 20000);
  g_assert_null (pj_session_get_blob (session, pj_blob_hash (blob), &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
  g_clear_error (&error);
  g_assert_null (pj_session_get_model (session, 1, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
  /* The checkpoint before the damaged one takes its place. */
  PjCheckpoint checkpoint = { 0 };
  g_assert_true (pj_session_get_checkpoint (session, 1, &checkpoint, NULL));
  g_assert_cmpuint (checkpoint.step, ==, 0);
  pj_checkpoint_clear (&checkpoint);
}

/* Opens a session that SQLite itself has no complaint about after @sql. */
static PjSession *
change (const Place *place, const char *sql)
{
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (place->path, &db), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (db, sql, NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  return session_make (place);
}

/* Steps that follow each other in a circle have no way to the first one. */
static void
test_circle (Place *place, gconstpointer data)
{
  fill (place);
  g_autoptr (PjSession) session = change (place, "UPDATE step SET parent = 2 WHERE id = 1");
  g_autoptr (GError) error = NULL;
  g_assert_false (pj_session_go_to (session, 1, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
  g_assert_nonnull (strstr (error->message, "a.penjing"));
  g_clear_error (&error);
  g_assert_null (pj_session_get_step (session, 1, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
  g_clear_error (&error);
  g_assert_null (pj_session_list_steps (session, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED);
  g_assert_cmpint (pj_session_current_step (session), ==, 2);
}

/* What SQLite said stands in the message, not that the rollback after it went well. */
static void
test_failing_migration (Place *place, gconstpointer data)
{
  sqlite3 *db;
  g_assert_cmpint (sqlite3_open (place->path, &db), ==, SQLITE_OK);
  g_assert_true (pj_schema_migrate (db, place->path, 0, 3, NULL));
  g_assert_cmpint (sqlite3_exec (db, "CREATE TABLE answers (a)", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (db);
  g_autoptr (GError) error = NULL;
  g_assert_null (pj_session_open (place->path, 0, &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE);
  g_assert_nonnull (strstr (error->message, "answers already exists"));
  g_assert_nonnull (strstr (error->message, "a.penjing"));
}

/* Opening a named pipe must not wait until somebody writes into it. */
static void
test_pipe (Place *place, gconstpointer data)
{
  g_assert_cmpint (mkfifo (place->path, 0600), ==, 0);
  alarm (20);
  expect (place, 0, PJ_STORE_ERROR_NOT_A_SESSION);
  expect (place, PJ_SESSION_CREATE, PJ_STORE_ERROR_NOT_A_SESSION);
  alarm (0);
}

static void
test_second (Place *place, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  fill (place);
  PjSession *first = session_make (place);
  g_assert_false (pj_session_is_read_only (first));
  PjSession *second = pj_session_open (place->path, PJ_SESSION_CREATE, &error);
  g_assert_no_error (error);
  g_assert_true (pj_session_is_read_only (second));
  g_assert_false (pj_session_set_meta (second, "a", "b", &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY);
  /* It follows what the first one writes, and does not keep it from writing. */
  g_assert_true (pj_session_set_meta (first, "a", "new", NULL));
  g_autofree char *text = pj_session_get_meta (second, "a");
  g_assert_cmpstr (text, ==, "new");
  pj_session_close (second);
  pj_session_close (first);
  g_autoptr (PjSession) third = session_make (place);
  g_assert_false (pj_session_is_read_only (third));
}

/* Runs @work in a child process; TRUE if it returned TRUE there. */
static gboolean
in_child (gboolean (*work) (const Place *place), const Place *place)
{
  pid_t child = fork ();
  if (child == 0)
    _exit (work (place) ? 0 : 1);
  int status;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  return WIFEXITED (status) && WEXITSTATUS (status) == 0;
}

/* Root may write everywhere, so root becomes nobody first. */
static gboolean
open_without_permission (const Place *place)
{
  g_autoptr (GError) error = NULL;
  if (geteuid () == 0 && setuid (65534) < 0)
    return FALSE;
  PjSession *session = pj_session_open (place->path, PJ_SESSION_CREATE, &error);
  g_autofree char *fresh = g_strconcat (place->path, "-b", NULL);
  gboolean ok = session != NULL && pj_session_is_read_only (session) && pj_session_current_step (session) == 2
                && pj_session_open (fresh, PJ_SESSION_CREATE, &error) == NULL
                && g_error_matches (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE) && strstr (error->message, fresh) != NULL;
  pj_session_close (session);
  return ok;
}

static void
test_read_only_folder (Place *place, gconstpointer data)
{
  fill (place);
  g_chmod (place->path, 0444);
  g_chmod (place->folder, 0555);
  gboolean ok = in_child (open_without_permission, place);
  g_chmod (place->folder, 0755);
  g_assert_true (ok);
}

/* A file that may not grow any more: the write that does not fit fails, the rest stays. */
static gboolean
fill_up (const Place *place)
{
  signal (SIGXFSZ, SIG_IGN);
  PjSession *session = pj_session_open (place->path, 0, NULL);
  struct rlimit limit = { 400000, 400000 };
  if (session == NULL || setrlimit (RLIMIT_FSIZE, &limit) < 0)
    return FALSE;
  g_autoptr (PjBlob) blob = blob_make (9.0f, 400000);
  g_autoptr (GError) error = NULL;
  gboolean ok = !pj_session_put_blob (session, blob, &error) && error->domain == PJ_STORE_ERROR
                && error->code == PJ_STORE_ERROR_WRITE && strstr (error->message, "nothing that was stored") != NULL
                && pj_session_current_step (session) == 2 && pj_session_n_blobs (session) == 1
                && pj_session_set_meta (session, "small", "fits", NULL);
  pj_session_close (session);
  return ok;
}

static void
test_full (Place *place, gconstpointer data)
{
  int64_t model = fill (place);
  g_assert_true (in_child (fill_up, place));
  g_autoptr (PjSession) session = session_make (place);
  g_autofree char *text = pj_session_get_meta (session, "small");
  g_assert_cmpstr (text, ==, "fits");
  read_all (session, model);
}

static void
test_failing_commit (Place *place, gconstpointer data)
{
  fill (place);
  g_autoptr (PjSession) session = session_make (place);
  g_autoptr (GError) error = NULL;
  pj_fault_arm (PJ_FAULT_WRITE, 1);
  g_assert_false (pj_session_set_meta (session, "a", "b", &error));
  g_assert_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE);
  g_assert_null (pj_session_get_meta (session, "a"));
  g_assert_true (pj_session_set_meta (session, "a", "b", NULL));
}

#define ADD(name, function) g_test_add ("/session/" name, Place, NULL, place_set_up, function, place_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("open/missing", test_missing);
  ADD ("open/other-files", test_other_files);
  ADD ("open/pipe", test_pipe);
  ADD ("open/newer-version", test_newer);
  ADD ("open/migrates-older-versions", test_migration);
  ADD ("open/failing-migration", test_failing_migration);
  ADD ("open/second-is-read-only", test_second);
  ADD ("open/read-only-folder", test_read_only_folder);
  ADD ("damage/flipped-bytes", test_flipped);
  ADD ("damage/truncated", test_truncated);
  ADD ("damage/changed-tensor", test_changed_tensor);
  ADD ("damage/steps-in-a-circle", test_circle);
  ADD ("write/file-cannot-grow", test_full);
  ADD ("write/failing-commit", test_failing_commit);
  return g_test_run ();
}
