/* SPDX-License-Identifier: MIT */
/* Numbers as a person reads them. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* "29.1 M", "288 k", "512": counts of operations and parameters. */
char *pju_format_count (double count);
/* "1.24 ms"; "–" when unknown (negative). */
char *pju_format_milliseconds (double ms);
/* "91.2 %"; "–" when unknown (negative). */
char *pju_format_percent (double share, int digits);
/* "12 s", "4 min 10 s", "1 h 5 min". */
char *pju_format_duration (double seconds);
/* "about 4 min left"; NULL when unknown (negative). */
char *pju_format_remaining (double seconds);
/* "−73 %" of going from @before to @after; "unchanged". */
char *pju_format_change (double before, double after);
/* Local date and time, short. */
char *pju_format_time (gint64 unix_time);

G_END_DECLS
