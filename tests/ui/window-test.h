/* SPDX-License-Identifier: MIT */
/* The real window of the studio inside a test program, with a project's folder, a small network and pictures. */
#pragma once

#include "app/project-test.h"
#include "watchdog.h"
#include "window.h"

G_BEGIN_DECLS

typedef struct {
  Place place;
  GtkWidget *window;
  Watchdog watchdog;
  double limit_ms;          /* the main loop may be kept busy so long at a time; 0: only told */
} Fixture;

/* Before any test: GTK, the style, and one application for all: a second one could not take its place on the bus. */
void fixture_init (int *argc, char ***argv);
GtkApplication *fixture_application (void);
void set_up (Fixture *self, gconstpointer data);
void tear_down (Fixture *self, gconstpointer data);
#define add(path, func) g_test_add (path, Fixture, NULL, set_up, func, tear_down)

/* The first widget below @widget for which @probe is true, depth first; or NULL. */
typedef gboolean (*Probe) (GtkWidget *widget, gconstpointer data);
GtkWidget *find_widget (GtkWidget *widget, Probe probe, gconstpointer data);
/* Probes: a label on screen that contains a text; a widget of a type; a button on screen with this label. */
gboolean is_label_with (GtkWidget *widget, gconstpointer text);
gboolean is_named (GtkWidget *widget, gconstpointer type);
gboolean is_button_for (GtkWidget *widget, gconstpointer label);

void await_text (Fixture *self, const char *text);
/* Waits until the action of the window is enabled, and fires it. */
void act (Fixture *self, const char *action, GVariant *parameter);
/* Name of the page that is shown. */
const char *page (Fixture *self);
void settle (guint ms);
void open_window (Fixture *self);
void close_window (Fixture *self);
/* A drop as the display delivers it: the target's own signal with the files. */
void drop (Fixture *self, const char *path);

G_END_DECLS
