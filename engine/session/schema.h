/* SPDX-License-Identifier: MIT */
/* The tables of a session file and their versions. */
#pragma once

#include <glib.h>
#include <sqlite3.h>

G_BEGIN_DECLS

/* "PJ" + "ng": what `file` shows of a session. */
#define PJ_SCHEMA_APPLICATION_ID 0x504a6e67
#define PJ_SCHEMA_VERSION 6

/**
 * pj_schema_migrate:
 * @db: a database of version @from
 * @path: of its file, for messages
 * @from: 0 for an empty one
 * @to: 1 … PJ_SCHEMA_VERSION
 * @error: PJ_STORE_ERROR, with what SQLite said
 *
 * Runs the steps between, each in its own transaction together with the new version number: a process
 * killed in between leaves a valid file of one of the versions.
 *
 * Returns: FALSE if SQLite refused; the step that failed is rolled back
 */
gboolean pj_schema_migrate (sqlite3 *db, const char *path, int from, int to, GError **error);

G_END_DECLS
