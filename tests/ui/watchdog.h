/* SPDX-License-Identifier: MIT */
/* Watches the main loop of a test: how long it was ever kept from running.
 *
 * A source that is due every few milliseconds notes how late it comes, and how much processor time the main thread
 * used meanwhile: on a busy machine the thread also waits for its turn, which is nobody's fault.  What counts is the
 * smaller of the two.  Drawing of frames is left out: tests have no graphics card, and what the software renderer takes
 * for a window says nothing about the window.  Making and taking down a whole window is told apart.
 *
 * Processor time is no absolute measure either: a thread that shares its core and its caches with others, or runs on an older
 * processor, needs more of it for the same work.  So a fixed piece of work is timed before and after, and a stall counts in
 * milliseconds of a machine that does it in REFERENCE_MS. */
#pragma once

#include <gtk/gtk.h>
#include <time.h>

typedef struct {
  guint source;
  gint64 wall_us, cpu_us, paint_wall_us, paint_cpu_us;
  double longest_ms, apart_ms, reference_ms;
  gboolean apart;                        /* set by the test */
  const char *doing, *longest_doing;     /* set by the test */
} Watchdog;

static gint64
watchdog_cpu_us (void)
{
  struct timespec now;
  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

#define REFERENCE_MS 3.3                 /* on a quiet machine of 2024 */

/* Times the fixed piece of work: texts are made, put into a table, looked up and forgotten, as widgets do. */
static double
watchdog_reference_ms (void)
{
  g_autoptr (GHashTable) table = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  gint64 before = 0;
  guint found = 0;

  /* The first round finds memory. */
  for (int round = 0; round < 6; round++) {
    before = round == 1 ? watchdog_cpu_us () : before;
    for (int i = 0; i < 6000; i++)
      found += !g_hash_table_add (table, g_strdup_printf ("%d px %s", i, "of a label"));
  }
  g_assert_cmpuint (found, ==, 5 * 6000);
  return (double) (watchdog_cpu_us () - before) / 1000.0;
}

static gboolean
watchdog_cb (gpointer data)
{
  Watchdog *self = data;
  gint64 wall = g_get_monotonic_time (), cpu = watchdog_cpu_us ();
  double stall = (double) MIN (wall - self->wall_us, cpu - self->cpu_us) / 1000.0;
  if (self->apart) {
    self->apart_ms = MAX (self->apart_ms, stall);
  } else if (stall > self->longest_ms) {
    self->longest_ms = stall;
    self->longest_doing = self->doing;
  }
  self->wall_us = wall;
  self->cpu_us = cpu;
  return G_SOURCE_CONTINUE;
}

static void
watchdog_painting_cb (GdkFrameClock *clock, gpointer data)
{
  Watchdog *self = data;
  self->paint_wall_us = g_get_monotonic_time ();
  self->paint_cpu_us = watchdog_cpu_us ();
}

static void
watchdog_painted_cb (GdkFrameClock *clock, gpointer data)
{
  Watchdog *self = data;
  if (self->paint_wall_us == 0)
    return;
  self->wall_us += g_get_monotonic_time () - self->paint_wall_us;
  self->cpu_us += watchdog_cpu_us () - self->paint_cpu_us;
  self->paint_wall_us = 0;
}

/* Of a window that is realized: its frames are drawn between these two phases. */
G_GNUC_UNUSED static void
watchdog_leave_out_drawing (Watchdog *self, GtkWidget *window)
{
  GdkFrameClock *clock = gtk_widget_get_frame_clock (window);
  g_signal_connect_after (clock, "layout", G_CALLBACK (watchdog_painting_cb), self);
  g_signal_connect (clock, "after-paint", G_CALLBACK (watchdog_painted_cb), self);
}

G_GNUC_UNUSED static void
watchdog_start (Watchdog *self)
{
  self->reference_ms = watchdog_reference_ms ();
  self->wall_us = g_get_monotonic_time ();
  self->cpu_us = watchdog_cpu_us ();
  self->source = g_timeout_add_full (G_PRIORITY_HIGH, 4, watchdog_cb, self, NULL);
}

/* Says the longest stall. */
G_GNUC_UNUSED static void
watchdog_stop (Watchdog *self)
{
  watchdog_cb (self);
  g_source_remove (self->source);
  self->reference_ms = MAX (MAX (self->reference_ms, watchdog_reference_ms ()), REFERENCE_MS);
  g_test_message ("longest stall of the main loop: %.1f ms, while: %s; this machine at present: %.2f of the reference", self->longest_ms,
                  self->longest_doing != NULL ? self->longest_doing : "-", self->reference_ms / REFERENCE_MS);
  self->longest_ms *= REFERENCE_MS / self->reference_ms;
  if (self->apart_ms > 0)
    g_test_message ("making or taking down a window: %.1f ms", self->apart_ms);
}
