/* SPDX-License-Identifier: MIT */
/* A run as bytes, for checkpoints: where it is, the masks of the stages before, codes and controllers, weights and
 * momentum.  Everything else follows from the settings. */
#include "prune/methods/autopruner-private.h"

#include <string.h>

#include "base/error.h"

#define MAGIC 0x50414a50u

typedef struct {
  uint32_t magic, n_stages, stage, step;
  uint64_t x;
} Header;

/* Masks of the stages before the present one, group by group. */
static void
write_masks (const PjAutopruner *self, GByteArray *bytes)
{
  for (unsigned t = 0; t < self->stage; t++) {
    const GPtrArray *stage = self->stages->pdata[t];
    for (guint i = 0; i < stage->len; i++) {
      const PjGroup *group = stage->pdata[i];
      g_byte_array_append (bytes, pj_cut_plan_get (self->plan, group->id)->keep, (guint) group->n_channels);
    }
  }
}

GBytes *
pj_autopruner_save (const PjAutopruner *self, GError **error)
{
  g_autoptr (GBytes) params = pj_params_save (self->params, error);
  if (params == NULL)
    return NULL;
  const Header header = { MAGIC, self->stages->len, self->stage, self->step, self->x };
  GByteArray *bytes = g_byte_array_new ();
  g_byte_array_append (bytes, (const guint8 *) &header, sizeof header);
  write_masks (self, bytes);
  for (unsigned s = 0; s < self->net->n_sites; s++) {
    guint8 frozen = self->frozen[s] != FALSE;
    g_byte_array_append (bytes, &frozen, 1);
    pj_coding_state_write (&self->states[s], bytes);
  }
  gsize size;
  const void *data = g_bytes_get_data (params, &size);
  g_byte_array_append (bytes, data, (guint) size);
  return g_byte_array_free_to_bytes (bytes);
}

static gboolean
refuse (GError **error)
{
  g_set_error_literal (error, PJ_ERROR, PJ_ERROR_INVALID,
                       "the checkpoint does not belong to a run with these settings; start it again");
  return FALSE;
}

static gboolean
read_masks (PjAutopruner *self, const guint8 **at, const guint8 *end)
{
  for (unsigned t = 0; t < self->stage; t++) {
    const GPtrArray *stage = self->stages->pdata[t];
    for (guint i = 0; i < stage->len; i++) {
      const PjGroup *group = stage->pdata[i];
      if (end - *at < group->n_channels)
        return FALSE;
      pj_cut_plan_set (self->plan, group, *at, NULL);
      *at += group->n_channels;
    }
  }
  return TRUE;
}

static gboolean
read_states (PjAutopruner *self, const guint8 **at, const guint8 *end)
{
  for (unsigned s = 0; s < self->net->n_sites; s++) {
    if (*at >= end)
      return FALSE;
    self->frozen[s] = *(*at)++;
    if (!pj_coding_state_read (&self->states[s], at, end))
      return FALSE;
  }
  return TRUE;
}

gboolean
pj_autopruner_restore (PjAutopruner *self, GBytes *state, GError **error)
{
  gsize size;
  const guint8 *at = g_bytes_get_data (state, &size), *begin = at, *end = at + size;
  Header header;

  if (size < sizeof header)
    return refuse (error);
  memcpy (&header, at, sizeof header);
  at += sizeof header;
  if (header.magic != MAGIC || header.n_stages != self->stages->len || header.stage >= header.n_stages)
    return refuse (error);
  self->stage = header.stage;
  self->step = header.step;
  self->x = header.x;
  if (!read_masks (self, &at, end))
    return refuse (error);
  if (!pj_autopruner_open (self, error))
    return FALSE;
  if (self->step > self->coding.n_steps || !read_states (self, &at, end))
    return refuse (error);
  g_autoptr (GBytes) params = g_bytes_new_from_bytes (state, (gsize) (at - begin), (gsize) (end - at));
  return pj_params_restore (self->params, params, error);
}
