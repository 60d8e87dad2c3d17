/* SPDX-License-Identifier: MIT */
/* The parts of a report. */
#pragma once

#include "model/work-report.h"
#include "prune/compare/jury.h"

G_BEGIN_DECLS

typedef enum { PJ_REPORT_CUT, PJ_REPORT_RECALIBRATED, PJ_REPORT_TUNED } PjReportStage;

const PjSpread *pj_report_stage (const PjVerdict *verdict, PjReportStage stage);

/* The name of a method as a person reads it, not escaped. */
const char *pj_report_method_title (const char *method);
/* The same, with its start where fine-tuning began with norms measured again. (transfer full) */
char *pj_report_name (const PjVerdict *verdict);
void pj_report_append_escaped (GString *out, const char *text);
/* Methods in the order of their first row. (transfer container) (element-type utf8, borrowed) */
GPtrArray *pj_report_methods (const PjComparison *comparison);
/* Ratios in the order of their first row. (transfer full) (element-type double) */
GArray *pj_report_ratios (const PjComparison *comparison);

/* Accuracy against MACs at one stage. @label: says which, for screen readers */
void pj_report_plot (GString *out, const PjReport *report, const GPtrArray *verdicts, PjReportStage stage, const char *label);
/* Kept channels of each group, methods side by side, at one ratio. */
void pj_report_maps (GString *out, const PjReport *report, double ratio);
/* Means and spreads. */
void pj_report_table (GString *out, const PjReport *report, const GPtrArray *verdicts);
/* Overlap of the kept sets and correlation of the scores, at one ratio. */
void pj_report_agreement (GString *out, const PjReport *report, const GPtrArray *verdicts, double ratio);
/* Who disturbs the output least in each group, at one ratio. */
void pj_report_layers (GString *out, const PjReport *report, const GPtrArray *verdicts, double ratio);
/* Answers that changed, and the classes that lost and won most. */
void pj_report_classes (GString *out, const PjReport *report, const GPtrArray *verdicts);

G_END_DECLS
