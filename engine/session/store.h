/* SPDX-License-Identifier: MIT */
/* Inside of the session: the connection, and short forms of the SQLite calls.  Everything is bound,
 * nothing is pasted into a statement.  All functions here expect the session's lock to be held. */
#pragma once

#include <pthread.h>
#include <sqlite3.h>

#include "session/session.h"

G_BEGIN_DECLS

struct _PjSession {
  char *path;
  sqlite3 *db;
  int lock_fd;            /* the lock file that makes this process the writer; -1 if read-only */
  gboolean read_only;
  pthread_mutex_t lock;   /* pthread: ThreadSanitizer cannot see GLib's locks */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC (sqlite3_stmt, sqlite3_finalize)

/* Raises the error that @db has just reported; @doing completes "while …". Always FALSE. */
gboolean pj_store_fail (sqlite3 *db, const char *path, const char *doing, GError **error);

/**
 * pj_store_query:
 * @types: one letter per parameter of @sql: i int64_t, d double, s const char * (NULL is allowed),
 *   b gconstpointer and size_t (NULL is allowed)
 *
 * Bytes and texts are bound without copying and must outlive the statement.
 *
 * Returns: (transfer full): a statement for pj_store_next(), or NULL
 */
sqlite3_stmt *pj_store_query (PjSession *self, GError **error, const char *sql, const char *types, ...);
/* The next row: 1, 0 at the end, -1 with @error set. */
int pj_store_next (PjSession *self, sqlite3_stmt *statement, GError **error);
/* Runs a statement without a result; arguments as pj_store_query(). */
gboolean pj_store_run (PjSession *self, GError **error, const char *sql, const char *types, ...);
/* First column of the first row as a number; @otherwise if there is no row or on failure. */
int64_t pj_store_number (PjSession *self, int64_t otherwise, const char *sql, const char *types, ...);
/* A copy of a text column; NULL for NULL. (transfer full) */
char *pj_store_text (sqlite3_stmt *statement, int column);
/* A copy of a blob column if it has exactly @size bytes, else NULL. (transfer full) */
gpointer pj_store_bytes (sqlite3_stmt *statement, int column, size_t size);

/* Locks and begins a transaction; on failure nothing is locked. */
gboolean pj_store_begin (PjSession *self, GError **error);
/* Commits if @ok, else rolls back; unlocks. FALSE with @error set if @ok was FALSE or committing failed. */
gboolean pj_store_end (PjSession *self, gboolean ok, GError **error);

G_END_DECLS
