/* SPDX-License-Identifier: MIT */
/* Progress on stderr, and Ctrl-C.
 *
 * On a terminal one line is drawn over and over; elsewhere a plain line appears every few seconds and at
 * each new stage.  The first Ctrl-C asks the work to stop at its next batch; a second one ends at once. */
#include "cli/cli.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define LIVE_US (G_USEC_PER_SEC / 10)
#define PLAIN_US (10 * G_USEC_PER_SEC)
/* Too early to say how long it will take. */
#define MARK_AFTER_US G_USEC_PER_SEC
#define GUESS_AFTER_US (3 * G_USEC_PER_SEC)

static struct {
  Cli *cli;
  gboolean live, drawn;
  gint64 last_us, started_us, mark_us;    /* mark: where the rate is measured from */
  double fraction, mark_fraction;
  char *stage;                    /* the words before the first digit, to notice a new stage */
} progress;

static volatile sig_atomic_t stopped;

static void
stop_cb (int number)
{
  stopped = 1;
}

static gboolean
is_cancelled_cb (gpointer data)
{
  return stopped != 0;
}

void
cli_progress_end (void)
{
  if (progress.drawn)
    fputs ("\r\033[K", stderr);
  progress.drawn = FALSE;
}

/* A job that starts over (the next one of a verb, not a stage that guessed its share) measures its time afresh.  What the
 * first moments bring says nothing of the rate: work that goes on from a checkpoint is there at once. */
static double
time_left (double fraction)
{
  gint64 now = g_get_monotonic_time ();
  if (progress.started_us == 0 || fraction < progress.fraction / 2)
    progress.started_us = now;
  progress.fraction = fraction;
  if (now - progress.started_us < MARK_AFTER_US) {
    progress.mark_us = now;
    progress.mark_fraction = fraction;
  }
  double elapsed = (double) (now - progress.mark_us), gained = fraction - progress.mark_fraction;
  if (now - progress.started_us < GUESS_AFTER_US || gained <= 0.0 || fraction >= 1.0)
    return -1.0;
  return elapsed * (1.0 - fraction) / gained / G_USEC_PER_SEC;
}

static void
progress_cb (gpointer data, const char *stage, double fraction)
{
  fraction = fraction < 0.0 ? progress.fraction : fraction;
  double left = time_left (fraction);
  gint64 now = g_get_monotonic_time ();
  g_autofree char *words = g_strndup (stage, strcspn (stage, "0123456789"));
  gboolean fresh = g_strcmp0 (words, progress.stage) != 0;
  if (now - progress.last_us < (progress.live ? LIVE_US : PLAIN_US) && !(fresh && !progress.live))
    return;
  progress.last_us = now;
  g_free (progress.stage);
  progress.stage = g_steal_pointer (&words);

  g_autofree char *duration = left > 0.0 ? cli_duration (left) : NULL;
  g_autofree char *line = g_strdup_printf ("%s  %3.0f %%%s%s", stage, 100.0 * fraction,
                                           duration != NULL ? ", left: " : "",
                                           duration != NULL ? duration : "");
  if (progress.live) {
    fprintf (stderr, "\r\033[K%.150s", line);
    progress.drawn = TRUE;
  } else {
    fprintf (stderr, "%s\n", line);
  }
  fflush (stderr);
}

/* Accuracies are rare and worth a line of their own; losses are not. */
static void
metric_cb (gpointer data, const char *series, double x, double y)
{
  if (strstr (series, "accuracy") != NULL)
    cli_note (data, "%s %.2f %% after %.0f steps", series, 100.0 * y, x);
}

void
cli_progress_begin (Cli *cli)
{
  progress.cli = cli;
  progress.live = isatty (STDERR_FILENO);
  cli->hooks = (PjHooks) { cli, cli->quiet ? NULL : progress_cb, metric_cb, is_cancelled_cb };

  struct sigaction action = { .sa_handler = stop_cb, .sa_flags = (int) SA_RESETHAND };
  sigemptyset (&action.sa_mask);
  sigaction (SIGINT, &action, NULL);
  sigaction (SIGTERM, &action, NULL);
}
