/* SPDX-License-Identifier: MIT */
/* What runs stands on top, then what waits in the order in which it will run, then what has ended, the newest first.  A new
 * job is selected, unless a person looks at another one that still runs. */
#include <glib/gi18n-lib.h>

#include "empty-page.h"
#include "job-curves.h"
#include "job-row.h"
#include "jobs-page.h"

struct _PjuJobsPage {
  GtkWidget parent;
  GtkWidget *stack, *list, *detail, *title, *outcome, *curves;
  PjuStudio *studio;
  PjmJob *job;
};

G_DEFINE_FINAL_TYPE (PjuJobsPage, pju_jobs_page, GTK_TYPE_WIDGET)

static void
show_detail (PjuJobsPage *self)
{
  g_autofree char *title = pju_get_string (self->job, "title"), *error = pju_get_string (self->job, "error");
  g_autofree char *result = pju_get_string (self->job, "result"), *stage = pju_get_string (self->job, "stage");
  PjmJobState state = pjm_job_get_state (self->job);
  const char *text = state == PJM_JOB_FAILED && error ? error : result ? result
                     : state == PJM_JOB_RUNNING && stage ? stage : pju_job_state_title (state);

  gtk_label_set_text (GTK_LABEL (self->title), title);
  gtk_label_set_text (GTK_LABEL (self->outcome), text);
  if (state == PJM_JOB_FAILED)
    gtk_widget_add_css_class (self->outcome, "error");
  else
    gtk_widget_remove_css_class (self->outcome, "error");
}

static void
row_selected_cb (PjuJobsPage *self, GtkListBoxRow *row)
{
  PjmJob *job = row ? pju_job_row_get_job (PJU_JOB_ROW (gtk_list_box_row_get_child (row))) : NULL;

  if (!job || job == self->job)
    return;
  if (self->job)
    g_signal_handlers_disconnect_by_func (self->job, show_detail, self);
  g_set_object (&self->job, job);
  g_signal_connect_object (job, "notify", G_CALLBACK (show_detail), self, G_CONNECT_SWAPPED);
  show_detail (self);
  pju_job_curves_set_job (PJU_JOB_CURVES (self->curves), job);
}

static PjmJob *
job_of (GtkListBoxRow *row)
{
  return pju_job_row_get_job (PJU_JOB_ROW (gtk_list_box_row_get_child (row)));
}

static int
rank (PjmJobState state)
{
  return state == PJM_JOB_RUNNING || state == PJM_JOB_PAUSED ? 0 : state == PJM_JOB_QUEUED ? 1 : 2;
}

static int
sort_func (GtkListBoxRow *a, GtkListBoxRow *b, gpointer data)
{
  PjuJobsPage *self = data;
  PjmJob *x = job_of (a), *y = job_of (b);
  GListStore *jobs = G_LIST_STORE (pjm_project_get_jobs (pju_studio_get_project (self->studio)));
  int rank_x = rank (pjm_job_get_state (x)), rank_y = rank (pjm_job_get_state (y));
  guint at_x = 0, at_y = 0;
  if (rank_x != rank_y)
    return rank_x - rank_y;
  if (rank_x == 1)
    return pjm_job_get_place (x) - pjm_job_get_place (y);
  g_list_store_find (jobs, x, &at_x);
  g_list_store_find (jobs, y, &at_y);
  return at_x > at_y ? -1 : at_x < at_y;
}

static void
order_cb (PjuJobsPage *self)
{
  gtk_list_box_invalidate_sort (GTK_LIST_BOX (self->list));
}

static GtkWidget *
make_row (PjuJobsPage *self, PjmJob *job)
{
  GtkWidget *row = pju_job_row_new (self->studio, FALSE), *outer = gtk_list_box_row_new ();
  g_autofree char *title = pju_get_string (job, "title");

  pju_job_row_set_job (PJU_JOB_ROW (row), job);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (outer), row);
  gtk_accessible_update_property (GTK_ACCESSIBLE (outer), GTK_ACCESSIBLE_PROPERTY_LABEL, title ? title : "", -1);
  g_signal_connect_object (job, "notify::state", G_CALLBACK (order_cb), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (job, "moved", G_CALLBACK (order_cb), self, G_CONNECT_SWAPPED);
  return outer;
}

void
pju_jobs_page_show_job (PjuJobsPage *self, PjmJob *job)
{
  for (GtkWidget *row = gtk_widget_get_first_child (self->list); row; row = gtk_widget_get_next_sibling (row)) {
    if (GTK_IS_LIST_BOX_ROW (row) && job_of (GTK_LIST_BOX_ROW (row)) == job)
      gtk_list_box_select_row (GTK_LIST_BOX (self->list), GTK_LIST_BOX_ROW (row));
  }
}

/* Jobs of another session go. */
static void
remove_gone (PjuJobsPage *self, GListStore *jobs)
{
  GtkWidget *next;
  guint at;
  for (GtkWidget *row = gtk_widget_get_first_child (self->list); row; row = next) {
    next = gtk_widget_get_next_sibling (row);
    if (!GTK_IS_LIST_BOX_ROW (row) || g_list_store_find (jobs, job_of (GTK_LIST_BOX_ROW (row)), &at))
      continue;
    g_signal_handlers_disconnect_by_func (job_of (GTK_LIST_BOX_ROW (row)), order_cb, self);
    gtk_list_box_remove (GTK_LIST_BOX (self->list), row);
  }
}

static void
items_changed_cb (GListModel *jobs, guint position, guint removed, guint added, PjuJobsPage *self)
{
  guint n = g_list_model_get_n_items (jobs);
  g_autoptr (PjmJob) newest = n > 0 ? g_list_model_get_item (jobs, n - 1) : NULL;

  if (removed > 0)
    remove_gone (self, G_LIST_STORE (jobs));
  for (guint i = 0; i < added; i++) {
    g_autoptr (PjmJob) job = g_list_model_get_item (jobs, position + i);
    gtk_list_box_append (GTK_LIST_BOX (self->list), make_row (self, job));
  }
  gtk_stack_set_visible_child_name (GTK_STACK (self->stack), n > 0 ? "jobs" : "empty");
  if (added > 0 && (!self->job || !pjm_job_is_active (self->job)))
    pju_jobs_page_show_job (self, newest);
}

void
pju_jobs_page_set_studio (PjuJobsPage *self, PjuStudio *studio)
{
  GListModel *jobs = pjm_project_get_jobs (pju_studio_get_project (studio));

  self->studio = g_object_ref (studio);
  self->curves = pju_job_curves_new (studio);
  gtk_widget_set_vexpand (self->curves, TRUE);
  gtk_box_append (GTK_BOX (self->detail), self->curves);
  gtk_stack_add_named (GTK_STACK (self->stack),
    pju_empty_page_new ("penjing-jobs-symbolic", _("No Jobs Yet"),
      _("Long work runs here in the background: scoring, fine-tuning, comparing. You can watch its curves, "
        "pause it and cancel it."), _("Score and Choose Channels"), "win.choose::thinet"), "empty");
  gtk_list_box_set_sort_func (GTK_LIST_BOX (self->list), sort_func, self, NULL);
  g_signal_connect_object (jobs, "items-changed", G_CALLBACK (items_changed_cb), self, 0);
  items_changed_cb (jobs, 0, 0, g_list_model_get_n_items (jobs), self);
}

static void
dispose (GObject *object)
{
  PjuJobsPage *self = PJU_JOBS_PAGE (object);
  if (self->job)
    g_signal_handlers_disconnect_by_func (self->job, show_detail, self);
  g_clear_object (&self->job);
  g_clear_object (&self->studio);
  g_clear_pointer (&self->stack, gtk_widget_unparent);
  G_OBJECT_CLASS (pju_jobs_page_parent_class)->dispose (object);
}

#define CHILD(name) gtk_widget_class_bind_template_child (widget_class, PjuJobsPage, name)

static void
pju_jobs_page_class_init (PjuJobsPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);
  G_OBJECT_CLASS (klass)->dispose = dispose;
  gtk_widget_class_set_template_from_resource (widget_class, "/io/github/penjing/Penjing/ui/jobs-page.ui");
  CHILD (stack); CHILD (list); CHILD (detail); CHILD (title); CHILD (outcome);
  gtk_widget_class_bind_template_callback (widget_class, row_selected_cb);
}

static void
pju_jobs_page_init (PjuJobsPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}
