/* SPDX-License-Identifier: MIT */
/* Tensors by content, and models that refer to them. */
#include "session/session.h"

#include <string.h>

#include "base/alloc.h"
#include "base/error.h"
#include "session/store.h"

/* Larger tensors are written and read in pieces, so that SQLite never holds a second copy of one. */
#define PIECE_BYTES (1 << 20)

static gboolean
write_pieces (PjSession *self, int64_t row, const char *data, size_t size, GError **error)
{
  sqlite3_blob *blob = NULL;
  gboolean ok = sqlite3_blob_open (self->db, "main", "blob", "data", row, 1, &blob) == SQLITE_OK;
  for (size_t at = 0; ok && at < size; at += PIECE_BYTES)
    ok = sqlite3_blob_write (blob, data + at, (int) MIN (PIECE_BYTES, size - at), (int) at) == SQLITE_OK;
  if (!ok)
    pj_store_fail (self->db, self->path, "storing weights", error);
  sqlite3_blob_close (blob);
  return ok;
}

static gboolean
insert_blob (PjSession *self, const char *hash, gconstpointer data, size_t size, GError **error)
{
  if (pj_store_number (self, 0, "SELECT 1 FROM blob WHERE hash = ?", "s", hash) == 1)
    return TRUE;
  if (size <= PIECE_BYTES)
    return pj_store_run (self, error, "INSERT INTO blob (hash, data) VALUES (?, ?)", "sb", hash, data, size);
  return pj_store_run (self, error, "INSERT INTO blob (hash, data) VALUES (?, zeroblob (?))", "si", hash, (int64_t) size)
         && write_pieces (self, sqlite3_last_insert_rowid (self->db), data, size, error);
}

gboolean
pj_session_put_blob (PjSession *self, PjBlob *blob, GError **error)
{
  size_t size = pj_blob_n_elems (blob) * sizeof (float);
  size_t limit = (size_t) sqlite3_limit (self->db, SQLITE_LIMIT_LENGTH, -1);
  if (size > limit - PIECE_BYTES) {
    g_set_error (error, PJ_ERROR, PJ_ERROR_UNSUPPORTED, "a tensor of %zu MiB does not fit a session, the limit is %zu MiB",
                 size >> 20, limit >> 20);
    return FALSE;
  }
  const char *hash = pj_blob_hash (blob);
  if (!pj_store_begin (self, error))
    return FALSE;
  return pj_store_end (self, insert_blob (self, hash, pj_blob_data (blob), size, error), error);
}

static float *
read_pieces (PjSession *self, const char *hash, size_t *n_elems, GError **error)
{
  int64_t row = pj_store_number (self, 0, "SELECT id FROM blob WHERE hash = ?", "s", hash);
  if (row == 0) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED, "session “%s” is damaged: tensor %.12s is not in it",
                 self->path, hash);
    return NULL;
  }
  sqlite3_blob *blob = NULL;
  float *data = NULL;
  gboolean ok = sqlite3_blob_open (self->db, "main", "blob", "data", row, 0, &blob) == SQLITE_OK;
  size_t size = ok ? (size_t) sqlite3_blob_bytes (blob) : 0;
  if (ok && (data = pj_alloc (size, "a tensor of the session", error)) != NULL) {
    for (size_t at = 0; ok && at < size; at += PIECE_BYTES)
      ok = sqlite3_blob_read (blob, (char *) data + at, (int) MIN (PIECE_BYTES, size - at), (int) at) == SQLITE_OK;
  }
  if (!ok) {
    pj_store_fail (self->db, self->path, "reading weights", error);
    g_clear_pointer (&data, pj_free);
  }
  sqlite3_blob_close (blob);
  *n_elems = size / sizeof (float);
  return data;
}

PjBlob *
pj_session_get_blob (PjSession *self, const char *hash, GError **error)
{
  size_t n_elems = 0;
  pthread_mutex_lock (&self->lock);
  float *data = read_pieces (self, hash, &n_elems, error);
  pthread_mutex_unlock (&self->lock);
  if (data == NULL)
    return NULL;
  g_autoptr (PjBlob) blob = pj_blob_new_take (data, n_elems);
  if (strcmp (pj_blob_hash (blob), hash) != 0) {
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED,
                 "session “%s” is damaged: the bytes of tensor %.12s have changed", self->path, hash);
    return NULL;
  }
  return g_steal_pointer (&blob);
}

unsigned
pj_session_n_blobs (PjSession *self)
{
  pthread_mutex_lock (&self->lock);
  int64_t n = pj_store_number (self, 0, "SELECT count(*) FROM blob", "");
  pthread_mutex_unlock (&self->lock);
  return (unsigned) n;
}

static gboolean
insert_model (PjSession *self, const char *name, const char *hash, GBytes *onnx, const char *const *hashes,
              int64_t *model, GError **error)
{
  gsize size;
  gconstpointer data = g_bytes_get_data (onnx, &size);
  if (!pj_store_run (self, error, "INSERT INTO model (name, hash, onnx) VALUES (?, ?, ?)", "ssb", name, hash, data, size))
    return FALSE;
  *model = sqlite3_last_insert_rowid (self->db);
  for (; *hashes != NULL; hashes++) {
    if (!pj_store_run (self, error, "INSERT OR IGNORE INTO model_blob VALUES (?, ?)", "is", *model, *hashes))
      return FALSE;
  }
  return TRUE;
}

int64_t
pj_session_put_model (PjSession *self, const char *name, GBytes *onnx, const char *const *hashes, GError **error)
{
  g_autofree char *hash = g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, onnx);
  if (!pj_store_begin (self, error))
    return 0;
  int64_t model = pj_store_number (self, 0, "SELECT id FROM model WHERE hash = ?", "s", hash);
  gboolean ok = model != 0 || insert_model (self, name, hash, onnx, hashes, &model, error);
  return pj_store_end (self, ok, error) ? model : 0;
}

GBytes *
pj_session_get_model (PjSession *self, int64_t model, GError **error)
{
  GBytes *onnx = NULL;
  g_autofree char *hash = NULL;
  pthread_mutex_lock (&self->lock);
  g_autoptr (sqlite3_stmt) statement = pj_store_query (self, error, "SELECT hash, onnx FROM model WHERE id = ?", "i", model);
  if (statement != NULL && pj_store_next (self, statement, error) == 1) {
    hash = pj_store_text (statement, 0);
    onnx = g_bytes_new (sqlite3_column_blob (statement, 1), (gsize) sqlite3_column_bytes (statement, 1));
  }
  g_clear_pointer (&statement, sqlite3_finalize);
  pthread_mutex_unlock (&self->lock);

  g_autofree char *now = onnx != NULL ? g_compute_checksum_for_bytes (G_CHECKSUM_SHA256, onnx) : NULL;
  if (onnx != NULL && g_strcmp0 (hash, now) == 0)
    return onnx;
  g_clear_pointer (&onnx, g_bytes_unref);
  if (error != NULL && *error == NULL)
    g_set_error (error, PJ_STORE_ERROR, PJ_STORE_ERROR_DAMAGED, "session “%s” is damaged: its network %" G_GINT64_FORMAT
                 " cannot be read", self->path, model);
  return NULL;
}
