/* SPDX-License-Identifier: MIT */
/* One place for the form of numbers, so that the same quantity reads the same on every page.  A narrow
 * space that does not break stands between a number and its unit. */
#include <glib/gi18n-lib.h>
#include <math.h>

#include "format.h"

#define NNBSP "\u202f"

char *
pju_format_count (double count)
{
  static const char *const units[] = { "", "k", "M", "G", "T" };
  guint unit = 0;

  while (fabs (count) >= 999.5 && unit + 1 < G_N_ELEMENTS (units)) {
    count /= 1000;
    unit++;
  }
  if (unit == 0)
    return g_strdup_printf ("%.0f", count);
  return g_strdup_printf (fabs (count) < 9.995 ? "%.2f" NNBSP "%s" : fabs (count) < 99.95 ? "%.1f" NNBSP "%s"
                                                                                         : "%.0f" NNBSP "%s",
                          count, units[unit]);
}

char *
pju_format_percent (double share, int digits)
{
  if (!(share >= 0))
    return g_strdup ("–");
  return g_strdup_printf ("%.*f" NNBSP "%%", digits, share * 100);
}

char *
pju_format_duration (double seconds)
{
  int s = (int) lround (MAX (seconds, 0));
  if (s < 60)
    /* Translators: a duration in seconds */
    return g_strdup_printf (_("%d s"), s);
  if (s < 3600)
    /* Translators: a duration in minutes and seconds */
    return g_strdup_printf (_("%d min %d s"), s / 60, s % 60);
  /* Translators: a duration in hours and minutes */
  return g_strdup_printf (_("%d h %d min"), s / 3600, s % 3600 / 60);
}

char *
pju_format_remaining (double seconds)
{
  if (!(seconds >= 0))
    return NULL;
  if (seconds < 10)
    return g_strdup (_("a few seconds left"));
  if (seconds < 100) {
    int s = (int) lround (seconds / 5) * 5;
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "about %d second left", "about %d seconds left", s), s);
  }
  if (seconds < 5400) {
    int min = (int) lround (seconds / 60);
    return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "about %d minute left", "about %d minutes left", min), min);
  }
  int hours = (int) lround (seconds / 3600);
  return g_strdup_printf (g_dngettext (GETTEXT_PACKAGE, "about %d hour left", "about %d hours left", hours), hours);
}

char *
pju_format_change (double before, double after)
{
  if (!(before > 0))
    return g_strdup ("–");
  double change = (after - before) / before * 100;
  if (fabs (change) < 0.05)
    return g_strdup (_("unchanged"));
  return g_strdup_printf ("%s%.*f" NNBSP "%%", change < 0 ? "−" : "+", fabs (change) < 9.95 ? 1 : 0, fabs (change));
}

char *
pju_format_time (gint64 unix_time)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (unix_time);
  g_autoptr (GDateTime) now = g_date_time_new_now_local ();
  if (!time)
    return g_strdup ("");
  if (g_date_time_get_day_of_year (time) == g_date_time_get_day_of_year (now)
      && g_date_time_get_year (time) == g_date_time_get_year (now))
    return g_date_time_format (time, "%H:%M");
  return g_date_time_format (time, "%x %H:%M");
}

char *
pju_format_milliseconds (double ms)
{
  if (!(ms >= 0))
    return g_strdup ("–");
  return g_strdup_printf (ms < 0.1 ? "%.3f\u202fms" : ms < 10 ? "%.2f\u202fms" : ms < 100 ? "%.1f\u202fms" : "%.0f\u202fms", ms);
}
