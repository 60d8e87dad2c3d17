/* SPDX-License-Identifier: MIT */
/* Migrations: row N of the table leads from version N to N + 1.  A row that was released is never
 * edited; a change is a further row. */
#include "session/schema.h"

#include "session/store.h"

/* Version 1: tensors, models and the history. `way` remembers for each step which child redo goes to. */
static gboolean
add_history (sqlite3 *db)
{
  return sqlite3_exec (db,
    "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE blob (id INTEGER PRIMARY KEY, hash TEXT NOT NULL UNIQUE, data BLOB NOT NULL);"
    "CREATE TABLE model (id INTEGER PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL UNIQUE,"
    "  onnx BLOB NOT NULL);"
    "CREATE TABLE model_blob (model INTEGER NOT NULL REFERENCES model ON DELETE CASCADE,"
    "  hash TEXT NOT NULL REFERENCES blob (hash), PRIMARY KEY (model, hash)) WITHOUT ROWID;"
    "CREATE TABLE step (id INTEGER PRIMARY KEY AUTOINCREMENT, parent INTEGER REFERENCES step, kind INTEGER NOT NULL,"
    "  time INTEGER NOT NULL, model INTEGER NOT NULL REFERENCES model, job INTEGER, title TEXT NOT NULL,"
    "  detail TEXT, criterion TEXT, settings TEXT);"
    "CREATE TABLE cut (step INTEGER NOT NULL REFERENCES step, grp TEXT NOT NULL, ratio REAL NOT NULL,"
    "  n INTEGER NOT NULL, keep BLOB NOT NULL, scale BLOB, PRIMARY KEY (step, grp)) WITHOUT ROWID;"
    "CREATE TABLE way (step INTEGER PRIMARY KEY REFERENCES step, child INTEGER NOT NULL REFERENCES step);"
    "CREATE TABLE cursor (id INTEGER PRIMARY KEY CHECK (id = 1), step INTEGER NOT NULL REFERENCES step);",
    NULL, NULL, NULL) == SQLITE_OK;
}

/* Version 2: jobs, their curves and checkpoints. */
static gboolean
add_jobs (sqlite3 *db)
{
  return sqlite3_exec (db,
    "CREATE TABLE job (id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER, kind TEXT NOT NULL, title TEXT NOT NULL,"
    "  settings TEXT, seed INTEGER NOT NULL, device TEXT, state INTEGER NOT NULL, created INTEGER NOT NULL,"
    "  started INTEGER NOT NULL, finished INTEGER NOT NULL, elapsed_ms INTEGER NOT NULL, error TEXT, result TEXT);"
    "CREATE TABLE series (id INTEGER PRIMARY KEY, job INTEGER NOT NULL REFERENCES job, name TEXT NOT NULL,"
    "  UNIQUE (job, name));"
    "CREATE TABLE point (id INTEGER PRIMARY KEY, series INTEGER NOT NULL REFERENCES series, x REAL NOT NULL,"
    "  y REAL NOT NULL);"
    "CREATE INDEX point_series ON point (series);"
    "CREATE TABLE checkpoint (id INTEGER PRIMARY KEY AUTOINCREMENT, job INTEGER NOT NULL REFERENCES job,"
    "  step INTEGER NOT NULL, n_seen INTEGER NOT NULL, loss_sum REAL NOT NULL, hash TEXT NOT NULL,"
    "  state BLOB NOT NULL);"
    "CREATE INDEX checkpoint_job ON checkpoint (job);",
    NULL, NULL, NULL) == SQLITE_OK;
}

/* Version 3: scores and comparisons. */
static gboolean
add_scores (sqlite3 *db)
{
  return sqlite3_exec (db,
    "CREATE TABLE scores (id INTEGER PRIMARY KEY, model INTEGER NOT NULL REFERENCES model, criterion TEXT NOT NULL,"
    "  seed INTEGER NOT NULL, n_images INTEGER NOT NULL, UNIQUE (model, criterion));"
    "CREATE TABLE group_score (scores INTEGER NOT NULL REFERENCES scores ON DELETE CASCADE, position INTEGER NOT NULL,"
    "  grp TEXT NOT NULL, n INTEGER NOT NULL, score BLOB, refusal TEXT, PRIMARY KEY (scores, position)) WITHOUT ROWID;"
    "CREATE TABLE comparison (id INTEGER PRIMARY KEY AUTOINCREMENT, step INTEGER, job INTEGER, time INTEGER NOT NULL,"
    "  title TEXT NOT NULL, base_macs INTEGER NOT NULL, base_params INTEGER NOT NULL, base_accuracy REAL NOT NULL,"
    "  base_speed REAL NOT NULL, n_test INTEGER NOT NULL);"
    "CREATE TABLE comparison_row (id INTEGER PRIMARY KEY, comparison INTEGER NOT NULL REFERENCES comparison,"
    "  method TEXT NOT NULL, ratio REAL NOT NULL, macs INTEGER NOT NULL, params INTEGER NOT NULL, cut REAL NOT NULL,"
    "  recalibrated REAL NOT NULL, tuned REAL NOT NULL, speed REAL NOT NULL, refusal TEXT);"
    "CREATE INDEX comparison_rows ON comparison_row (comparison);"
    "CREATE TABLE row_cut (row INTEGER NOT NULL REFERENCES comparison_row, position INTEGER NOT NULL,"
    "  grp TEXT NOT NULL, ratio REAL NOT NULL, n INTEGER NOT NULL, keep BLOB NOT NULL, scale BLOB,"
    "  PRIMARY KEY (row, position)) WITHOUT ROWID;"
    "CREATE TABLE row_score (row INTEGER NOT NULL REFERENCES comparison_row, position INTEGER NOT NULL,"
    "  grp TEXT NOT NULL, n INTEGER NOT NULL, score BLOB, refusal TEXT, PRIMARY KEY (row, position)) WITHOUT ROWID;",
    NULL, NULL, NULL) == SQLITE_OK;
}

/* Version 4: seeds and starts of comparison rows, what each network took each picture for, and what each layer's cut does
 * alone. */
static gboolean
add_answers (sqlite3 *db)
{
  return sqlite3_exec (db,
    "ALTER TABLE comparison ADD COLUMN labels BLOB;"
    "ALTER TABLE comparison ADD COLUMN answers BLOB;"
    "ALTER TABLE comparison ADD COLUMN classes TEXT;"
    "ALTER TABLE comparison_row ADD COLUMN seed INTEGER NOT NULL DEFAULT 1;"
    "ALTER TABLE comparison_row ADD COLUMN start INTEGER NOT NULL DEFAULT 2;"
    "ALTER TABLE comparison_row ADD COLUMN answers BLOB;"
    "UPDATE comparison_row SET start = 1 WHERE tuned < 0;"
    "CREATE TABLE row_layer (row INTEGER NOT NULL REFERENCES comparison_row, grp TEXT NOT NULL, kl REAL NOT NULL,"
    "  PRIMARY KEY (row, grp)) WITHOUT ROWID;"
    "CREATE TABLE answers (model INTEGER PRIMARY KEY REFERENCES model ON DELETE CASCADE, data TEXT NOT NULL,"
    "  n INTEGER NOT NULL, classes TEXT NOT NULL, labels BLOB NOT NULL, answers BLOB NOT NULL);",
    NULL, NULL, NULL) == SQLITE_OK;
}

/* Version 5: refined labels, one vector of logits for each training picture. */
static gboolean
add_labels (sqlite3 *db)
{
  return sqlite3_exec (db,
    "CREATE TABLE labels (job INTEGER PRIMARY KEY REFERENCES job, n INTEGER NOT NULL, classes INTEGER NOT NULL,"
    "  logits BLOB NOT NULL);",
    NULL, NULL, NULL) == SQLITE_OK;
}

/* Version 6: what the masked network of a step took each picture for, which is another one than the step's model. */
static gboolean
add_step_answers (sqlite3 *db)
{
  return sqlite3_exec (db,
    "CREATE TABLE step_answers (step INTEGER PRIMARY KEY REFERENCES step ON DELETE CASCADE, data TEXT NOT NULL,"
    "  n INTEGER NOT NULL, classes TEXT NOT NULL, labels BLOB NOT NULL, answers BLOB NOT NULL);",
    NULL, NULL, NULL) == SQLITE_OK;
}

static gboolean (*const migrations[PJ_SCHEMA_VERSION]) (sqlite3 *db) = {
  add_history, add_jobs, add_scores, add_answers, add_labels, add_step_answers
};

gboolean
pj_schema_migrate (sqlite3 *db, const char *path, int from, int to, GError **error)
{
  for (int version = from; version < to; version++) {
    /* Pragmas cannot be bound; both numbers are ours. */
    g_autofree char *stamp = g_strdup_printf ("PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT",
                                              PJ_SCHEMA_APPLICATION_ID, version + 1);
    if (sqlite3_exec (db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK && migrations[version] (db)
        && sqlite3_exec (db, stamp, NULL, NULL, NULL) == SQLITE_OK)
      continue;
    /* A rollback that succeeds would take its place. */
    pj_store_fail (db, path, "bringing the format up to date", error);
    if (!sqlite3_get_autocommit (db))
      sqlite3_exec (db, "ROLLBACK", NULL, NULL, NULL);
    return FALSE;
  }
  return TRUE;
}
