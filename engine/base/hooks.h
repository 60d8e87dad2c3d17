/* SPDX-License-Identifier: MIT */
/* How a long piece of work talks to whoever started it.  A job, the command line and a test each
 * fill one of these; the engine never knows which.  All calls come from the thread doing the work. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * PjHooks:
 * @data: passed to each function
 * @progress: (nullable): @stage is a short English phrase ("epoch 2 of 5"), valid during the call;
 *   @fraction is the share of the whole work that is done, 0 … 1, or below 0: as it was.  The receiver keeps the newest.
 * @metric: (nullable): a point of the curve @series ("loss", "accuracy", "lr") at @x (images seen,
 *   epochs …).  The receiver keeps every point.
 * @is_cancelled: (nullable): polled once per batch or block.  It may block while the work is paused.
 */
typedef struct {
  gpointer data;
  void (*progress) (gpointer data, const char *stage, double fraction);
  void (*metric) (gpointer data, const char *series, double x, double y);
  gboolean (*is_cancelled) (gpointer data);
} PjHooks;

/* The three calls with a NULL-tolerant @hooks. */
void pj_hooks_progress (const PjHooks *hooks, double fraction, const char *format, ...) G_GNUC_PRINTF (3, 4);
void pj_hooks_metric (const PjHooks *hooks, const char *series, double x, double y);

/**
 * pj_hooks_go_on:
 * @hooks: (nullable): hooks
 * @error: PJ_ERROR_CANCELLED
 *
 * Returns: FALSE with @error set if the person stopped the work
 */
gboolean pj_hooks_go_on (const PjHooks *hooks, GError **error);

/**
 * PjHooksSpan:
 *
 * Hooks that map their progress 0 … 1 to a part of the progress of @parent, for work made of
 * several stages.  Metrics and cancellation pass through.  Caller memory.
 */
typedef struct {
  PjHooks hooks;
  const PjHooks *parent;
  double from, to;
  const char *prefix;
} PjHooksSpan;

/**
 * pj_hooks_span_init:
 * @self: (out caller-allocates): the span; use &self->hooks
 * @parent: (nullable): the hooks of the whole work
 * @from: progress of the whole when this part starts, 0 … 1
 * @to: progress of the whole when this part ends
 * @prefix: (nullable): put before each stage ("thinet: "); must outlive @self
 */
void pj_hooks_span_init (PjHooksSpan *self, const PjHooks *parent, double from, double to, const char *prefix);

G_END_DECLS
