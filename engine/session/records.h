/* SPDX-License-Identifier: MIT */
/* Inside of the session: reading lists of cuts and scores, which steps and comparison rows share. */
#pragma once

#include "session/store.h"

G_BEGIN_DECLS

/* @sql selects grp, ratio, n, keep, scale by one number, @id. Appends to @cuts. Lock held. */
gboolean pj_store_read_cuts (PjSession *self, GPtrArray *cuts, GError **error, const char *sql, int64_t id);
/* @sql selects grp, n, score, refusal by one number, @id. Appends to @scores. Lock held. */
gboolean pj_store_read_scores (PjSession *self, GPtrArray *scores, GError **error, const char *sql, int64_t id);

G_END_DECLS
