/* SPDX-License-Identifier: MIT */
/* The members that are not made from criteria. Private to this folder and method.c. */
#pragma once

#include "prune/method.h"

G_BEGIN_DECLS

/* Pictures that pass forward and that are trained on; FALSE if nobody knows. Of method-values.c. */
gboolean pj_method_pictures (const PjMethod *self, const PjScoring *scoring, const PjPruneSettings *settings, double *forward,
                             double *trained);

extern const PjMethod pj_method_thinet, pj_method_thinet_ls, pj_method_channel_pruning, pj_method_autopruner;
extern const PjMethod pj_method_magnitude, pj_method_curl, pj_method_equal_loss, pj_method_scratch_e, pj_method_scratch_b;
extern const PjMethod pj_method_sss, pj_method_gdp, pj_method_gal, pj_method_taylor_steps, pj_method_amc;

/* NULL-terminated. */
const PjMethod *const *pj_other_methods (void);

G_END_DECLS
