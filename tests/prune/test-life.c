/* SPDX-License-Identifier: MIT */
/* Work that takes minutes is kept when it is time and when it is cancelled, and only then. */
#include <string.h>

#include "base/error.h"
#include "prune/life.h"

typedef struct {
  unsigned n_saved;
  uint64_t step;
  char last[8];
  gboolean full;                  /* nothing can be stored */
} Place;

static gboolean
save_cb (uint64_t step, GBytes *state, gpointer data, GError **error)
{
  Place *place = data;
  if (place->full) {
    g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID, "the disk is full");
    return FALSE;
  }
  place->n_saved++;
  place->step = step;
  memcpy (place->last, g_bytes_get_data (state, NULL), MIN (g_bytes_get_size (state), sizeof place->last));
  return TRUE;
}

static GBytes *
state_cb (gconstpointer data, uint64_t *step, GError **error)
{
  *step = 7;
  return g_bytes_new (data, strlen (data) + 1);
}

static void
test_keeps_in_time (void)
{
  g_autoptr (GError) error = NULL;
  Place place = { 0 };
  PjMethodLife life = { .seconds = 1000, .save = save_cb, .data = &place };
  PjKeeper keeper = { .life = &life, .state = state_cb, .data = "work" };

  pj_keeper_start (&keeper);
  g_assert_true (pj_keeper_keep (&keeper, &error));
  g_assert_cmpuint (place.n_saved, ==, 0);
  life.seconds = 0;
  g_assert_true (pj_keeper_keep (&keeper, &error));
  g_assert_cmpuint (place.n_saved, ==, 1);
  g_assert_cmpuint (place.step, ==, 7);
  g_assert_cmpstr (place.last, ==, "work");
  place.full = TRUE;
  g_assert_false (pj_keeper_keep (&keeper, &error));
  g_assert_cmpstr (error->message, ==, "the disk is full");
  g_clear_error (&error);
  /* Nobody asked for it. */
  life.save = NULL;
  g_assert_true (pj_keeper_keep (&keeper, &error));
  keeper.life = NULL;
  g_assert_true (pj_keeper_keep (&keeper, &error));
  g_assert_false (pj_keeper_keeps (&keeper));
}

static void
test_keeps_when_stopped (void)
{
  Place place = { 0 };
  const PjMethodLife life = { .seconds = 1000, .save = save_cb, .data = &place };
  PjKeeper keeper = { .life = &life, .state = state_cb, .data = "work" };
  GError *cancelled = g_error_new_literal (PJ_ERROR, PJ_ERROR_CANCELLED, "cancelled");
  GError *broken = g_error_new_literal (PJ_ERROR, PJ_ERROR_INVALID, "broken");

  pj_keeper_stopped (&keeper, &broken);
  g_assert_cmpstr (broken->message, ==, "broken");
  g_assert_cmpuint (place.n_saved, ==, 0);
  pj_keeper_stopped (&keeper, &cancelled);
  g_assert_error (cancelled, PJ_ERROR, PJ_ERROR_CANCELLED);
  g_assert_cmpuint (place.n_saved, ==, 1);
  place.full = TRUE;
  pj_keeper_stopped (&keeper, &cancelled);
  g_assert_error (cancelled, PJ_ERROR, PJ_ERROR_INVALID);
  g_assert_cmpstr (cancelled->message, ==, "cancelled, but the work so far could not be stored: the disk is full");
  g_error_free (cancelled);
  g_error_free (broken);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/prune/life/in-time", test_keeps_in_time);
  g_test_add_func ("/prune/life/when-stopped", test_keeps_when_stopped);
  return g_test_run ();
}
