/* SPDX-License-Identifier: MIT */
/* A comparison as a page that stands alone (report.html, no network needed) and as a table (CSV). */
#pragma once

#include "graph/groups.h"
#include "prune/compare/compare.h"

G_BEGIN_DECLS

/**
 * PjReport: what the page tells.  All borrowed.
 * @title: heading
 * @network, @data, @device: names
 * @groups: of the network that was compared on
 * @settings: how it was fine-tuned, a sentence part: "1 epoch at learning rate 0.01"; NULL for not at all
 * @recalibrated: whether norms were measured again before fine-tuning
 * @n_images: calibration pictures; 0 for each method's own number
 * @stages_html: (nullable): a finished fragment that is put below the heading
 */
typedef struct {
  const char *title, *network, *data, *device, *settings, *stages_html;
  const PjGroups *groups;
  const PjComparison *comparison;
  gboolean recalibrated;
  unsigned n_images;
} PjReport;

/* (transfer full) */
char *pj_report_html (const PjReport *report);
/* Every single row. */
char *pj_report_csv (const PjComparison *comparison);
/* Mean, spread and number of seeds of each method at each ratio. */
char *pj_report_means_csv (const PjComparison *comparison);

/**
 * pj_report_write:
 * @path: of the page; beside it go the rows with the ending .csv and their means with the ending -means.csv
 * @csv_path, @means_path: (out) (optional) (transfer full)
 * @error: PJ_ERROR_IO
 */
gboolean pj_report_write (const PjReport *report, const char *path, char **csv_path, char **means_path, GError **error);

G_END_DECLS
