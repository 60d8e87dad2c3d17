/* SPDX-License-Identifier: MIT */
/* The pictures of a report, as inline SVG. */
#pragma once

#include "model/work-report.h"

G_BEGIN_DECLS

/* Appends the name of a method as a person reads it, escaped. */
const char *pj_report_method_title (const char *method);
/* Methods in the order of their first row. (transfer container) (element-type utf8, borrowed) */
GPtrArray *pj_report_methods (const PjComparison *comparison);
/* Accuracy against MACs. */
void pj_report_plot (GString *out, const PjReport *report);
/* Kept channels of each group, methods side by side, at one ratio. */
void pj_report_maps (GString *out, const PjReport *report, double ratio);

G_END_DECLS
