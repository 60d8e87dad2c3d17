/* SPDX-License-Identifier: MIT */
/* Writing to the session without making the studio wait.
 *
 * The files thread is a second PjJobQueue.  It opens sessions and networks, and it writes the history: in
 * the order in which a person acted, and also at the end, when the queue stops with writes still waiting. */
#pragma once

#include "model/job-queue.h"
#include "session/session.h"

G_BEGIN_DECLS

/* An open session, counted on the main thread alone.  Work that uses it on another thread holds a reference
 * in its data; the last one closes it, on the files thread. */
typedef struct {
  int ref;
  PjSession *session;
  PjJobQueue *files;        /* borrowed */
} PjmStore;

/* @session: (transfer full) */
PjmStore *pjm_store_new (PjSession *session, PjJobQueue *files);
PjmStore *pjm_store_ref (PjmStore *self);
void pjm_store_unref (PjmStore *self);

/* @error: (nullable): why it failed */
typedef void (*PjmWrittenFunc) (gpointer data, const GError *error, gpointer user_data);

/**
 * pjm_write:
 * @func: the work; its hooks never cancel
 * @destroy: (nullable): frees @data on the main thread
 * @written: (nullable): called on the main thread after it
 *
 * Runs @func on the files thread, or here and now if that has stopped.  It always runs.
 */
void pjm_write (PjJobQueue *files, PjTaskFunc func, gpointer data, GDestroyNotify destroy, PjmWrittenFunc written,
                gpointer user_data);

G_END_DECLS
