/* SPDX-License-Identifier: MIT */
/* Opening and closing a session file, and its texts by key.
 *
 * Next to name.penjing there may be, while it is open: name.penjing-wal and -shm (SQLite's log, folded
 * in when it is closed or opened again after a crash) and name.penjing-lock, which the writing process
 * holds with flock(); the kernel lets go of it however that process ends. */
#include "session/session.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "session/schema.h"
#include "session/store.h"

/* How long a call waits for a reader that is just folding in the log. */
#define BUSY_MS 5000

/* Makes this process the writer of @path. FALSE if another one is, or the folder cannot be written. */
static gboolean
take_lock (PjSession *self)
{
  g_autofree char *path = g_strconcat (self->path, "-lock", NULL);
  for (;;) {
    int fd = open (path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0)
      return FALSE;
    struct stat info;
    if (flock (fd, LOCK_EX | LOCK_NB) < 0 || fstat (fd, &info) < 0) {
      close (fd);
      return FALSE;
    }
    /* The last writer may have unlinked the file between our open() and flock(). */
    if (info.st_nlink > 0) {
      self->lock_fd = fd;
      return TRUE;
    }
    close (fd);
  }
}

static void
drop_lock (PjSession *self)
{
  if (self->lock_fd < 0)
    return;
  g_autofree char *path = g_strconcat (self->path, "-lock", NULL);
  unlink (path);
  close (self->lock_fd);
  self->lock_fd = -1;
}

/* Looks at the file before SQLite does, for better messages. @exists: there is something to open. */
static gboolean
check_file (const char *path, PjSessionFlags flags, gboolean *exists, GError **error)
{
  char magic[16] = { 0 };
  struct stat info;
  /* O_NONBLOCK: opening a named pipe must not wait for a writer. */
  int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  int reason = errno;
  gboolean is_plain = fd >= 0 && fstat (fd, &info) == 0 && S_ISREG (info.st_mode);
  ssize_t n = is_plain ? read (fd, magic, sizeof magic) : -1;
  if (fd >= 0)
    close (fd);

  *exists = n > 0;
  if (fd < 0 && reason == ENOENT && !(flags & PJ_SESSION_CREATE)) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_MISSING, "there is no session “%s”", path);
    return FALSE;
  }
  if (fd < 0 && reason != ENOENT) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE, "cannot read “%s”: %s", path, g_strerror (reason));
    return FALSE;
  }
  if (fd >= 0 && !(n == 0 && (flags & PJ_SESSION_CREATE)) && memcmp (magic, "SQLite format 3", sizeof magic) != 0) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_NOT_A_SESSION, "“%s” is not a Penjing session", path);
    return FALSE;
  }
  return TRUE;
}

/* The version of the file, 0 for an empty one, -1 with @error set. */
static int
identify (PjSession *self, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = pj_store_query (self, error,
    "SELECT a.application_id, u.user_version, (SELECT count(*) FROM sqlite_master)"
    " FROM pragma_application_id AS a, pragma_user_version AS u", "");
  if (statement == NULL || pj_store_next (self, statement, error) != 1)
    return -1;
  int application = sqlite3_column_int (statement, 0), version = sqlite3_column_int (statement, 1);
  if (application == 0 && version == 0 && sqlite3_column_int64 (statement, 2) == 0 && !self->read_only)
    return 0;
  if (application != PJ_SCHEMA_APPLICATION_ID || version < 1) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_NOT_A_SESSION, "“%s” is not a Penjing session", self->path);
    return -1;
  }
  if (version > PJ_SCHEMA_VERSION) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_NEWER,
                 "“%s” was made by a newer version of Penjing (its format is %d, this version reads up to %d); "
                 "update Penjing to open it", self->path, version, PJ_SCHEMA_VERSION);
    return -1;
  }
  return version;
}

static gboolean
check_integrity (PjSession *self, GError **error)
{
  g_autoptr (sqlite3_stmt) statement = pj_store_query (self, error, "PRAGMA quick_check(1)", "");
  if (statement == NULL || pj_store_next (self, statement, error) < 0)
    return FALSE;
  const char *verdict = (const char *) sqlite3_column_text (statement, 0);
  if (g_strcmp0 (verdict, "ok") == 0)
    return TRUE;
  g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED,
               "session “%s” is damaged (%s); open a copy of it from a backup", self->path, verdict ? verdict : "unreadable");
  return FALSE;
}

/* Copies an older session beside itself, then brings it up to date. */
static gboolean
migrate (PjSession *self, int version, GError **error)
{
  if (version == PJ_SCHEMA_VERSION)
    return TRUE;
  if (self->read_only) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY,
                 "“%s” has an older format and has to be brought up to date, but it cannot be written; "
                 "copy it to a folder of yours", self->path);
    return FALSE;
  }
  if (version > 0) {
    g_autofree char *copy = g_strdup_printf ("%s.before-v%d", self->path, PJ_SCHEMA_VERSION);
    unlink (copy);
    if (!pj_store_run (self, error, "VACUUM INTO ?", "s", copy)) {
      g_prefix_error (error, "no safety copy “%s” could be made before bringing the session up to date: ", copy);
      return FALSE;
    }
  }
  return pj_schema_migrate (self->db, self->path, version, PJ_SCHEMA_VERSION, error);
}

/* What a process that ended in the middle left behind: running jobs, weights without a step. */
static gboolean
tidy (PjSession *self, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = pj_store_run (self, error, "UPDATE job SET state = ?, finished = 0 WHERE state IN (?, ?)", "iii",
                              (int64_t) PJ_JOB_INTERRUPTED, (int64_t) PJ_JOB_RUNNING, (int64_t) PJ_JOB_QUEUED)
                && pj_store_run (self, error, "DELETE FROM scores WHERE model NOT IN (SELECT model FROM step)", "")
                && pj_store_run (self, error, "DELETE FROM model WHERE id NOT IN (SELECT model FROM step)", "")
                && pj_store_run (self, error, "DELETE FROM blob WHERE hash NOT IN (SELECT hash FROM model_blob)", "");
  return pj_store_end (self, ok, error);
}

static gboolean
open_database (PjSession *self, GError **error)
{
  int mode = self->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
  if (sqlite3_open_v2 (self->path, &self->db, mode | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_FULLMUTEX, NULL) != SQLITE_OK)
    return pj_store_fail (self->db, self->path, "opening", error);
  sqlite3_busy_timeout (self->db, BUSY_MS);
  sqlite3_db_config (self->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);

  int version = identify (self, error);
  if (version < 0 || (version > 0 && !check_integrity (self, error)))
    return FALSE;
  /* A session made by somebody else must not run functions from its schema. */
  if (sqlite3_exec (self->db, "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = ON; PRAGMA synchronous = NORMAL;",
                    NULL, NULL, NULL) != SQLITE_OK)
    return pj_store_fail (self->db, self->path, "opening", error);
  if (!self->read_only && sqlite3_exec (self->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
    return pj_store_fail (self->db, self->path, "opening", error);
  return migrate (self, version, error) && (self->read_only || tidy (self, error));
}

/* SQLite refuses links (a link could be swapped under us), so they are resolved once, here. */
static char *
resolve (const char *path)
{
  char *real = realpath (path, NULL);
  char *result = g_strdup (real);
  free (real);
  if (result != NULL)
    return result;
  g_autofree char *folder = g_path_get_dirname (path), *base = g_path_get_basename (path);
  real = realpath (folder, NULL);
  result = real != NULL ? g_build_filename (real, base, NULL) : g_strdup (path);
  free (real);
  return result;
}

PjSession *
pj_session_open (const char *path, PjSessionFlags flags, GError **error)
{
  g_return_val_if_fail (path != NULL, NULL);
  gboolean exists;
  if (!check_file (path, flags, &exists, error))
    return NULL;

  g_autoptr (PjSession) self = g_new0 (PjSession, 1);
  pthread_mutex_init (&self->lock, NULL);
  self->path = resolve (path);
  self->lock_fd = -1;
  self->read_only = (flags & PJ_SESSION_READ_ONLY) || (exists && access (path, W_OK) < 0) || !take_lock (self);
  if (self->read_only && !exists) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE,
                 "cannot make the session “%s”: its folder cannot be written", path);
    return NULL;
  }
  return open_database (self, error) ? g_steal_pointer (&self) : NULL;
}

void
pj_session_close (PjSession *self)
{
  if (self == NULL)
    return;
  if (self->db != NULL && !self->read_only) {
    /* One plain file at rest; stays in WAL mode if somebody is reading just now. */
    sqlite3_busy_timeout (self->db, 0);
    sqlite3_exec (self->db, "PRAGMA journal_mode = DELETE", NULL, NULL, NULL);
  }
  sqlite3_close_v2 (self->db);
  drop_lock (self);
  pthread_mutex_destroy (&self->lock);
  g_free (self->path);
  g_free (self);
}

gboolean
pj_session_is_read_only (const PjSession *self)
{
  return self->read_only;
}

const char *
pj_session_path (const PjSession *self)
{
  return self->path;
}

char *
pj_session_get_meta (PjSession *self, const char *key)
{
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) statement = pj_store_query (self, NULL, "SELECT value FROM meta WHERE key = ?", "s", key);
  char *text = statement != NULL && pj_store_next (self, statement, NULL) == 1 ? pj_store_text (statement, 0) : NULL;
  g_clear_pointer (&statement, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);
  return text;
}

gboolean
pj_session_set_meta (PjSession *self, const char *key, const char *text, GError **error)
{
  if (!pj_store_begin (self, error))
    return FALSE;
  gboolean ok = text != NULL
    ? pj_store_run (self, error, "INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                    "ss", key, text)
    : pj_store_run (self, error, "DELETE FROM meta WHERE key = ?", "s", key);
  return pj_store_end (self, ok, error);
}
