/* SPDX-License-Identifier: MIT */
/* Short forms of the SQLite calls: see store.h. */
#include "session/store.h"

#include <stdarg.h>

#include "base/fault.h"

G_DEFINE_QUARK (pj-store-error-quark, pj_store_error)

gboolean
pj_store_fail (sqlite3 *db, const char *path, const char *doing, GError **error)
{
  int code = sqlite3_errcode (db) & 0xff;
  const char *reason = sqlite3_errmsg (db);

  switch (code) {
  case SQLITE_CORRUPT:
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED, "session “%s” is damaged, noticed while %s: %s",
                 path, doing, reason);
    break;
  case SQLITE_NOTADB:
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_NOT_A_SESSION, "“%s” is not a Penjing session", path);
    break;
  case SQLITE_READONLY:
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY,
                 "session “%s” is open for reading only; close it elsewhere or copy it to change it", path);
    break;
  case SQLITE_FULL:
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE,
                 "the disk is full while %s in “%s”; nothing that was stored before is lost, free some space and try again",
                 doing, path);
    break;
  default:
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE,
                 "%s in “%s” failed: %s; nothing that was stored before is lost", doing, path, reason);
  }
  return FALSE;
}

static gboolean
bind_all (sqlite3_stmt *statement, const char *types, va_list args)
{
  int rc = SQLITE_OK;
  for (int i = 1; types[i - 1] != '\0' && rc == SQLITE_OK; i++) {
    switch (types[i - 1]) {
    case 'i':
      rc = sqlite3_bind_int64 (statement, i, va_arg (args, int64_t));
      break;
    case 'd':
      rc = sqlite3_bind_double (statement, i, va_arg (args, double));
      break;
    case 's':
      rc = sqlite3_bind_text (statement, i, va_arg (args, const char *), -1, SQLITE_STATIC);
      break;
    case 'b': {
      gconstpointer data = va_arg (args, gconstpointer);
      size_t size = va_arg (args, size_t);
      rc = sqlite3_bind_blob64 (statement, i, data, size, SQLITE_STATIC);
      break;
    }
    default:
      g_assert_not_reached ();
    }
  }
  return rc == SQLITE_OK;
}

static sqlite3_stmt *
query_va (PjSession *self, GError **error, const char *sql, const char *types, va_list args)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (self->db, sql, -1, &statement, NULL) == SQLITE_OK && bind_all (statement, types, args))
    return statement;
  pj_store_fail (self->db, self->path, "reading", error);
  sqlite3_finalize (statement);
  return NULL;
}

sqlite3_stmt *
pj_store_query (PjSession *self, GError **error, const char *sql, const char *types, ...)
{
  va_list args;
  va_start (args, types);
  sqlite3_stmt *statement = query_va (self, error, sql, types, args);
  va_end (args);
  return statement;
}

int
pj_store_next (PjSession *self, sqlite3_stmt *statement, GError **error)
{
  int rc = sqlite3_step (statement);
  if (rc == SQLITE_ROW)
    return 1;
  if (rc == SQLITE_DONE)
    return 0;
  pj_store_fail (self->db, self->path, sqlite3_stmt_readonly (statement) ? "reading" : "writing", error);
  return -1;
}

gboolean
pj_store_run (PjSession *self, GError **error, const char *sql, const char *types, ...)
{
  va_list args;
  va_start (args, types);
  g_autoptr (sqlite3_stmt) statement = query_va (self, error, sql, types, args);
  va_end (args);
  return statement != NULL && pj_store_next (self, statement, error) >= 0;
}

int64_t
pj_store_number (PjSession *self, int64_t otherwise, const char *sql, const char *types, ...)
{
  va_list args;
  va_start (args, types);
  g_autoptr (sqlite3_stmt) statement = query_va (self, NULL, sql, types, args);
  va_end (args);
  if (statement == NULL || pj_store_next (self, statement, NULL) != 1
      || sqlite3_column_type (statement, 0) == SQLITE_NULL)
    return otherwise;
  return sqlite3_column_int64 (statement, 0);
}

char *
pj_store_text (sqlite3_stmt *statement, int column)
{
  return g_strdup ((const char *) sqlite3_column_text (statement, column));
}

gpointer
pj_store_bytes (sqlite3_stmt *statement, int column, size_t size)
{
  gconstpointer data = sqlite3_column_blob (statement, column);
  if (data == NULL || (size_t) sqlite3_column_bytes (statement, column) != size)
    return NULL;
  return g_memdup2 (data, size);
}

gboolean
pj_store_begin (PjSession *self, GError **error)
{
  if (self->read_only) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_READ_ONLY,
                 "session “%s” is open for reading only; close it elsewhere or copy it to change it", self->path);
    return FALSE;
  }
  pthread_mutex_lock (&self->lock);
  if (sqlite3_exec (self->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK)
    return TRUE;
  pj_store_fail (self->db, self->path, "writing", error);
  pthread_mutex_unlock (&self->lock);
  return FALSE;
}

gboolean
pj_store_end (PjSession *self, gboolean ok, GError **error)
{
  if (ok && pj_fault (PJ_FAULT_WRITE)) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_WRITE,
                 "writing in “%s” failed; nothing that was stored before is lost", self->path);
    ok = FALSE;
  } else if (ok && sqlite3_exec (self->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK) {
    ok = pj_store_fail (self->db, self->path, "writing", error);
  }
  if (!sqlite3_get_autocommit (self->db))
    sqlite3_exec (self->db, "ROLLBACK", NULL, NULL, NULL);
  pthread_mutex_unlock (&self->lock);
  return ok;
}
