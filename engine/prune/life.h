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

G_END_DECLS
