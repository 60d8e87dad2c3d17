/* SPDX-License-Identifier: MIT */
/* What window.c, window-actions.c and window-jobs.c share. */
#pragma once

#include "banner.h"
#include "compare-page.h"
#include "export-page.h"
#include "history-page.h"
#include "jobs-page.h"
#include "layers-page.h"
#include "network-page.h"
#include "overview-page.h"
#include "start-page.h"
#include "toast.h"
#include "totals-bar.h"
#include "window.h"
#include "workflow-bar.h"

struct _PjuWindow {
  GtkApplicationWindow parent;
  GtkWidget *header, *open_button, *menu_button, *undo_button, *redo_button, *title, *subtitle, *device_button, *device_label;
  GtkWidget *inspector_toggle, *banner, *root, *start_page, *spinner, *opening_label;
  GtkWidget *pages_list, *job_revealer, *workflow, *pages, *totals, *toast, *drop_hint;
  GtkWidget *overview_page, *network_page, *layers_page, *jobs_page, *compare_page, *history_page, *export_page;
  GMenu *recent_section;
  PjmProject *project;
  PjuStudio *studio;
  GCancellable *opening;
  char *shown_path;                /* session whose view was restored */
  char *next;                      /* data folder to open after the network */
  GtkWidget *job_row, *job_badge;
  guint update, view_timeout;
  gboolean restoring;              /* the view: what changes now is not a person's doing */
};

/* Installs all win.* actions. */
void pju_window_add_actions (PjuWindow *self);
/* Enables what can be done now. */
void pju_window_update_actions (PjuWindow *self);
/* Follows the project's jobs: side bar, toasts, notifications. */
void pju_window_watch_jobs (PjuWindow *self);
/* From how many seconds on a job is long; 30. For tests. */
void pju_window_set_long_job (double seconds);
/* The view: stored with the session. @fallback_page: where there is none. */
void pju_window_watch_view (PjuWindow *self);
void pju_window_view_changed (PjuWindow *self);
void pju_window_flush_view (PjuWindow *self);
void pju_window_restore_view (PjuWindow *self, const char *fallback_page);
void pju_window_show_page (PjuWindow *self, const char *name);
void pju_window_close_session (PjuWindow *self);
void pju_window_show_recent (PjuWindow *self);
