/* SPDX-License-Identifier: MIT */
#include "base/hooks.h"

#include "base/error.h"

void
pj_hooks_progress (const PjHooks *hooks, double fraction, const char *format, ...)
{
  if (hooks == NULL || hooks->progress == NULL)
    return;
  va_list args;
  va_start (args, format);
  g_autofree char *stage = g_strdup_vprintf (format, args);
  va_end (args);
  hooks->progress (hooks->data, stage, fraction < 0.0 ? -1.0 : MIN (fraction, 1.0));
}

void
pj_hooks_metric (const PjHooks *hooks, const char *series, double x, double y)
{
  if (hooks != NULL && hooks->metric != NULL)
    hooks->metric (hooks->data, series, x, y);
}

gboolean
pj_hooks_go_on (const PjHooks *hooks, GError **error)
{
  if (hooks == NULL || hooks->is_cancelled == NULL || !hooks->is_cancelled (hooks->data))
    return TRUE;
  g_set_error_literal (error, PJ_ERROR, PJ_ERROR_CANCELLED, "cancelled");
  return FALSE;
}

static void
span_progress (gpointer data, const char *stage, double fraction)
{
  PjHooksSpan *self = data;
  double whole = fraction < 0.0 ? -1.0 : self->from + (self->to - self->from) * fraction;
  pj_hooks_progress (self->parent, whole, "%s%s",
                     self->prefix ? self->prefix : "", stage);
}

static void
span_metric (gpointer data, const char *series, double x, double y)
{
  PjHooksSpan *self = data;
  pj_hooks_metric (self->parent, series, x, y);
}

static gboolean
span_is_cancelled (gpointer data)
{
  PjHooksSpan *self = data;
  return self->parent != NULL && self->parent->is_cancelled != NULL
         && self->parent->is_cancelled (self->parent->data);
}

void
pj_hooks_span_init (PjHooksSpan *self, const PjHooks *parent, double from, double to, const char *prefix)
{
  *self = (PjHooksSpan) {
    .hooks = { self, span_progress, span_metric, span_is_cancelled },
    .parent = parent, .from = from, .to = to, .prefix = prefix,
  };
}
