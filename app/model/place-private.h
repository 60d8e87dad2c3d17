/* SPDX-License-Identifier: MIT */
/* A network with all that was measured on it: what the studio shows at a step of the history.  Made on a
 * worker, then used and counted on the main thread alone. */
#pragma once

#include "model/network-private.h"
#include "prune/scores/scores.h"
#include "session/session.h"

G_BEGIN_DECLS

typedef struct {
  int ref;
  PjmNetwork *network;
  GHashTable *scores;     /* interned criterion → PjScores */
} PjmPlace;

/**
 * pjm_place_new:
 * @session: (nullable): where scores and, without @graph, the network come from
 * @graph: (transfer full) (nullable)
 * @criterion: (nullable): scored now if it needs no data and is not stored
 *
 * Any thread.
 */
PjmPlace *pjm_place_new (PjSession *session, gint64 model, PjGraph *graph, const char *criterion, GError **error);
PjmPlace *pjm_place_ref (PjmPlace *self);
void pjm_place_unref (PjmPlace *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (PjmPlace, pjm_place_unref)

/* Scores by a criterion that needs no data; NULL without error if it needs some. Any thread. (transfer full) */
PjScores *pjm_score_without_data (PjmNetwork *network, const char *criterion, GError **error);

/* (transfer full) */
void pjm_place_take_scores (PjmPlace *self, PjScores *scores);
const PjScores *pjm_place_get_scores (PjmPlace *self, const char *criterion);

G_END_DECLS
