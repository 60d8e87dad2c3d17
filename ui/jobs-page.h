/* SPDX-License-Identifier: MIT */
/* PjuJobsPage: all jobs of the session, and the curves of one. */
#pragma once

#include "studio.h"

G_BEGIN_DECLS

#define PJU_TYPE_JOBS_PAGE (pju_jobs_page_get_type ())
G_DECLARE_FINAL_TYPE (PjuJobsPage, pju_jobs_page, PJU, JOBS_PAGE, GtkWidget)

void pju_jobs_page_set_studio (PjuJobsPage *self, PjuStudio *studio);
void pju_jobs_page_show_job (PjuJobsPage *self, PjmJob *job);

G_END_DECLS
