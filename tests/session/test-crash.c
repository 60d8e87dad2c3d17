/* SPDX-License-Identifier: MIT */
/* A writer that is killed at random moments: everything that it was told to be stored is there, nothing
 * is there by half, and the file is sound. */
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/rng.h"
#include "session-test.h"

/* Shared with the child: what it was told to be stored. */
typedef struct {
  volatile int64_t steps, points;
  volatile uint64_t checkpoint;
} Acknowledged;

/* One step, three points and a checkpoint a round, until the end comes. */
static void
write_for_ever (const Place *place, Acknowledged *done)
{
  PjSession *session = pj_session_open (place->path, PJ_SESSION_CREATE, NULL);
  g_autoptr (PjBlob) blob = blob_make (1.0f, 1000);
  int64_t model = model_make (session, "network", blob);
  g_autoptr (PjJobRecord) job = pj_job_record_new ("train", "Train", NULL);
  if (pj_session_get_job (session, 1, NULL) == NULL)
    pj_session_add_job (session, job, NULL);
  const char *loss = g_intern_string ("loss");
  for (;;) {
    step_make (session, model, "step");
    done->steps++;
    PjPoint points[] = { { loss, 1, 1 }, { loss, 2, 2 }, { loss, 3, 3 } };
    if (!pj_session_add_points (session, 1, points, 3, NULL))
      _exit (1);
    done->points += 3;
    uint64_t step = done->checkpoint + 1;
    g_autofree char *text = g_strnfill (30000, (char) ('a' + step % 26));
    g_autoptr (GBytes) state = g_bytes_new (text, 30000);
    if (!pj_session_put_checkpoint (session, 1, &(PjCheckpoint) { step, 0, 0, state }, NULL))
      _exit (1);
    done->checkpoint = step;
  }
}

static void
check (const Place *place, const Acknowledged *done)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjSession) session = pj_session_open (place->path, PJ_SESSION_CREATE, &error);
  g_assert_no_error (error);
  g_assert_false (pj_session_is_read_only (session));
  g_autoptr (GPtrArray) steps = pj_session_list_steps (session, &error);
  g_assert_no_error (error);
  /* One more than acknowledged may be there: killed between the commit and the count. */
  g_assert_cmpint (steps->len, >=, done->steps);
  g_assert_cmpint (steps->len, <=, done->steps + 1);
  if (done->steps == 0)
    return;
  g_autoptr (PjStepRecord) last = pj_session_get_step (session, pj_session_current_step (session), &error);
  g_assert_no_error (error);
  g_assert_cmpuint (last->cuts->len, ==, 1);
  g_autoptr (GArray) points = pj_session_get_points (session, 1, &error);
  g_assert_cmpint (points->len, >=, done->points);
  g_assert_cmpint (points->len % 3, ==, 0);
  PjCheckpoint checkpoint = { 0 };
  if (done->checkpoint > 0) {
    g_assert_true (pj_session_get_checkpoint (session, 1, &checkpoint, &error));
    g_assert_cmpuint (checkpoint.step, >=, done->checkpoint);
    pj_checkpoint_clear (&checkpoint);
  }
}

static void
test_killed (Place *place, gconstpointer data)
{
  Acknowledged *done = mmap (NULL, sizeof *done, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  PjRng rng;
  pj_rng_init (&rng, 1, 0);
  unsigned rounds = g_test_thorough () ? 200 : 25;
  for (unsigned i = 0; i < rounds; i++) {
    pid_t child = fork ();
    if (child == 0)
      write_for_ever (place, done);
    /* Every other life lasts until something is acknowledged, however slow the machine is. */
    gint64 before = done->steps, end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
    while (i % 2 == 0 && ((volatile Acknowledged *) done)->steps == before && g_get_monotonic_time () < end)
      g_usleep (500);
    g_usleep (1000 + pj_rng_below (&rng, 60000));
    kill (child, SIGKILL);
    int status;
    g_assert_cmpint (waitpid (child, &status, 0), ==, child);
    g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
    check (place, done);
    /* What was stored without being acknowledged counts from now on. */
    g_autoptr (PjSession) session = pj_session_open (place->path, PJ_SESSION_READ_ONLY, NULL);
    g_autoptr (GPtrArray) steps = pj_session_list_steps (session, NULL);
    g_autoptr (GArray) points = pj_session_get_points (session, 1, NULL);
    done->steps = steps->len;
    done->points = points->len;
    PjCheckpoint checkpoint = { 0 };
    if (pj_session_get_checkpoint (session, 1, &checkpoint, NULL))
      done->checkpoint = checkpoint.step;
    pj_checkpoint_clear (&checkpoint);
  }
  g_test_message ("%" G_GINT64_FORMAT " steps in %u lives", done->steps, rounds);
  g_assert_cmpint (done->steps, >, 0);
  munmap (done, sizeof *done);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/session/crash/acknowledged-commits-survive", Place, NULL, place_set_up, test_killed, place_tear_down);
  return g_test_run ();
}
