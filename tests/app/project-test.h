/* SPDX-License-Identifier: MIT */
/* A project on a small network, for the tests of app/model: no display, a main loop of its own. */
#pragma once

#include "model/project.h"

G_BEGIN_DECLS

/**
 * Place: a folder with what a test needs.
 * @onnx: a small residual network, 1×8×8 grey pictures, 4 classes
 * @data: IDX files that fit it; the pictures of a class differ in where they are bright
 * @state: where sessions are made
 * @failures: (element-type utf8): what "failed" said, "headline: detail"
 */
typedef struct {
  char *folder, *onnx, *data, *state;
  PjmProject *project;
  GPtrArray *failures;
  guint n_graph_changed;
} Place;

void place_set_up (Place *place, gconstpointer data);
/* Closes, asserts that every object goes away, and removes the folder. */
void place_tear_down (Place *place, gconstpointer data);
#define place_add(path, func) g_test_add (path, Place, NULL, place_set_up, func, place_tear_down)

/* The project alone: needs @state and @failures. */
void place_start (Place *place);
void place_stop (Place *place);
/* A new project in place of the old one, which is closed and must go away. */
void place_restart (Place *place);
/* Opens and waits. @error_has: NULL for success, else part of the message that is expected. */
void place_open (Place *place, const char *path, const char *error_has);
/* The network with the pictures. */
void place_open_all (Place *place);

/* Runs the main loop until @done (data), at most 5 minutes. */
typedef gboolean (*DoneFunc) (gpointer data);
void wait_until (DoneFunc done, gpointer data);
/* Until @job has ended; asserts its state. */
void wait_job (PjmJob *job, PjmJobState state);
/* Until the preview is up to date. */
void wait_preview (Place *place);

/* The layer called @name. (transfer none): the list keeps it */
PjmLayer *place_layer (Place *place, const char *name);
char *place_text (gpointer object, const char *property);
double place_number (gpointer object, const char *property);
gboolean place_flag (gpointer object, const char *property);
guint n_items (GListModel *list);
/* The last "failed", which must have @text in it; forgets all. */
void assert_failed (Place *place, const char *text);
void assert_nothing_failed (Place *place);

G_END_DECLS
