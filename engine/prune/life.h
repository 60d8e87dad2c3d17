/* SPDX-License-Identifier: MIT */
/* What work that takes minutes needs to survive a stop, and to hear what a person wants meanwhile. */
#pragma once

#include <glib.h>
#include <stdint.h>

G_BEGIN_DECLS

/**
 * PjCommand: what a person asks of a method while it runs.
 * @PJ_COMMAND_FREEZE: the gates of @group stay as they stand, rounded to open and closed
 * @PJ_COMMAND_THAW: they are trained again
 * @PJ_COMMAND_FINISH: end now, with all gates as they stand; the rest is up to the person
 */
typedef struct {
  enum { PJ_COMMAND_FREEZE, PJ_COMMAND_THAW, PJ_COMMAND_FINISH } kind;
  int group;
} PjCommand;

/**
 * PjMethodLife: how a method that takes minutes survives.  All nullable.
 * @resume: what an earlier run with the same settings saved; the work goes on from there, bit for bit
 * @save: called about every @seconds and when cancelled; @step is the x of the newest point of the curves.  FALSE with
 *   @error set ends the work
 * @command: polled once per batch: TRUE with @command filled as long as there is one
 */
typedef struct {
  GBytes *resume;
  double seconds;
  gboolean (*save) (uint64_t step, GBytes *state, gpointer data, GError **error);
  gboolean (*command) (PjCommand *command, gpointer data);
  gpointer data;
} PjMethodLife;

/**
 * PjKeeper: keeps the work of a method: about every @life->seconds, and when it is cancelled.
 * @life: (nullable): without it, or its @save, nothing is kept
 * @state: what there is to keep, and the step by which it is known. (transfer full) (nullable): NULL with @error set
 */
typedef struct {
  const PjMethodLife *life;
  GBytes *(*state) (gconstpointer data, uint64_t *step, GError **error);
  gconstpointer data;
  gint64 kept_us;                 /* when it was last kept */
} PjKeeper;

gboolean pj_keeper_keeps (const PjKeeper *self);
/* From now on the time counts until work is kept. */
void pj_keeper_start (PjKeeper *self);
/* Keeps the work if it is time. */
gboolean pj_keeper_keep (PjKeeper *self, GError **error);
/* After a failure: if that was a cancel, keeps the work so far.  If that fails too @error says so instead, for the person
 * must know. */
void pj_keeper_stopped (PjKeeper *self, GError **error);

G_END_DECLS
