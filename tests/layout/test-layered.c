/* SPDX-License-Identifier: MIT */
/* Properties of the layered layout on the shapes that networks have: nothing overlaps, every edge
 * points down, the trunk is straight, crossings stay under a bound, same input same bits. */

#include "layout/layered.h"

#include <math.h>
#include <string.h>

#include "base/error.h"

typedef struct { GArray *sizes, *links; } Net;

static int
add (Net *net, int first, ...)
{
  const PjLayoutSize size = { 130 + 10 * (net->sizes->len % 3), 40 + 8 * (net->sizes->len % 2) };
  const int node = net->sizes->len;
  va_list list;

  g_array_append_val (net->sizes, size);
  va_start (list, first);
  for (int from = first; from >= 0; from = va_arg (list, int)) {
    const PjLayoutLink link = { from, node };
    g_array_append_val (net->links, link);
  }
  va_end (list);
  return node;
}

static void
link_to (Net *net, int from, int to)
{
  const PjLayoutLink link = { from, to };

  g_array_append_val (net->links, link);
}

static void
chain (Net *net)
{
  int at = add (net, -1);

  for (int i = 0; i < 30; i++)
    at = add (net, at, -1);
}

/* Bottleneck blocks 3-4-6-3 with a projection in the first of each stage. */
static void
resnet (Net *net)
{
  static const int n_blocks[] = { 3, 4, 6, 3 };
  int at = add (net, add (net, add (net, -1), -1), -1);

  for (int stage = 0; stage < 4; stage++)
    for (int block = 0; block < n_blocks[stage]; block++) {
      int branch = at;
      for (int i = 0; i < 8; i++)
        branch = add (net, branch, -1);
      const int skip = block == 0 ? add (net, add (net, at, -1), -1) : at;
      at = add (net, add (net, branch, skip, -1), -1);
    }
  add (net, add (net, at, -1), -1);
}

static void
inception (Net *net)
{
  int at = add (net, add (net, -1), -1);

  for (int block = 0; block < 9; block++) {
    const int a = add (net, at, -1);
    const int b = add (net, add (net, at, -1), -1);
    const int c = add (net, add (net, add (net, at, -1), -1), -1);
    const int d = add (net, add (net, at, -1), -1);
    at = add (net, a, b, c, d, -1);
  }
  add (net, at, -1);
}

/* Each concatenation reads every output before it, as exported files have it. */
static void
densenet (Net *net)
{
  static const int n_layers[] = { 6, 12, 24, 16 };
  int at = add (net, add (net, -1), -1);

  for (int block = 0; block < 4; block++) {
    g_autoptr (GArray) outputs = g_array_new (FALSE, FALSE, sizeof (int));
    g_array_append_val (outputs, at);
    for (int layer = 0; layer < n_layers[block]; layer++) {
      const int grown = add (net, add (net, at, -1), -1);
      g_array_append_val (outputs, grown);
      at = add (net, grown, -1);
      for (unsigned i = 0; i + 1 < outputs->len; i++)
        link_to (net, g_array_index (outputs, int, i), at);
    }
    at = add (net, add (net, at, -1), -1);
  }
}

typedef struct { const char *name; void (*build) (Net *net); unsigned max_crossings; } Case;

static const Case cases[] = {
  { "chain", chain, 0 },
  { "resnet", resnet, 0 },
  { "inception", inception, 0 },
  { "densenet", densenet, 1600 },
};

static Net
net_new (const Case *test)
{
  Net net = { g_array_new (FALSE, FALSE, sizeof (PjLayoutSize)),
              g_array_new (FALSE, FALSE, sizeof (PjLayoutLink)) };

  test->build (&net);
  return net;
}

static void
net_clear (Net *net)
{
  g_array_unref (net->sizes);
  g_array_unref (net->links);
}

static PjLayout *
lay_out (const Net *net)
{
  g_autoptr (GError) error = NULL;
  PjLayout *layout = pj_layout_new ((PjLayoutSize *) net->sizes->data, net->sizes->len,
                                    (PjLayoutLink *) net->links->data, net->links->len, NULL, &error);

  g_assert_no_error (error);
  g_assert_nonnull (layout);
  return layout;
}

static void
check_boxes (const Net *net, const PjLayout *layout)
{
  const double epsilon = 1e-6;

  for (unsigned i = 0; i < layout->n_nodes; i++) {
    const PjLayoutSize *a = &g_array_index (net->sizes, PjLayoutSize, i);
    const PjLayoutPoint *p = &layout->boxes[i];
    g_assert_cmpfloat (p->x, >=, 24 - epsilon);
    g_assert_cmpfloat (p->y, >=, 24 - epsilon);
    g_assert_cmpfloat (p->x + a->width, <=, layout->width - 24 + epsilon);
    g_assert_cmpfloat (p->y + a->height, <=, layout->height - 24 + epsilon);
    for (unsigned j = 0; j < i; j++) {
      const PjLayoutSize *b = &g_array_index (net->sizes, PjLayoutSize, j);
      const PjLayoutPoint *q = &layout->boxes[j];
      const double gap_x = MAX (p->x - q->x - b->width, q->x - p->x - a->width);
      const double gap_y = MAX (p->y - q->y - b->height, q->y - p->y - a->height);
      g_assert_true (gap_x >= 28 - epsilon || gap_y >= 34 - epsilon);
    }
  }
}

/* An edge starts and ends at its boxes, goes down all the way and passes through no other box. */
static void
check_curve (const Net *net, const PjLayout *layout, unsigned link)
{
  const PjLayoutLink *ends = &g_array_index (net->links, PjLayoutLink, link);
  const PjLayoutCurve *curve = &layout->curves[link];
  const PjLayoutPoint *p = curve->points;
  const PjLayoutSize *from = &g_array_index (net->sizes, PjLayoutSize, ends->from);
  const PjLayoutSize *to = &g_array_index (net->sizes, PjLayoutSize, ends->to);

  g_assert_cmpuint (curve->n_points % 3, ==, 1);
  g_assert_cmpuint (curve->n_points, >=, 4);
  g_assert_cmpfloat_with_epsilon (p->x, layout->boxes[ends->from].x + from->width / 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (p->y, layout->boxes[ends->from].y + from->height, 1e-6);
  g_assert_cmpfloat_with_epsilon (p[curve->n_points - 1].x, layout->boxes[ends->to].x + to->width / 2, 1e-6);
  g_assert_cmpfloat_with_epsilon (p[curve->n_points - 1].y, layout->boxes[ends->to].y, 1e-6);
  for (unsigned i = 1; i < curve->n_points; i++)
    g_assert_cmpfloat (p[i].y, >=, p[i - 1].y - 1e-9);
  for (unsigned i = 3; i < curve->n_points; i += 3)
    for (unsigned j = 0; j < layout->n_nodes; j++) {
      const PjLayoutSize *size = &g_array_index (net->sizes, PjLayoutSize, j);
      const PjLayoutPoint *box = &layout->boxes[j];
      const gboolean inside = p[i].x > box->x && p[i].x < box->x + size->width &&
                              p[i].y > box->y && p[i].y < box->y + size->height;
      g_assert_false (inside && (int) j != ends->from && (int) j != ends->to);
    }
}

static void
test_properties (gconstpointer data)
{
  const Case *test = data;
  Net net = net_new (test);
  g_autoptr (PjLayout) layout = lay_out (&net);

  check_boxes (&net, layout);
  for (unsigned i = 0; i < net.links->len; i++) {
    const PjLayoutLink *link = &g_array_index (net.links, PjLayoutLink, i);
    g_assert_cmpuint (layout->layers[link->from], <, layout->layers[link->to]);
    check_curve (&net, layout, i);
  }
  g_test_message ("%s: %u boxes, %u edges, %.0f x %.0f, %" G_GUINT64_FORMAT " crossings", test->name,
                  layout->n_nodes, layout->n_links, layout->width, layout->height, layout->n_crossings);
  g_assert_cmpuint (layout->n_crossings, <=, test->max_crossings);
  net_clear (&net);
}

/* From the first box to the last there is one box per layer on one vertical line. */
static void
test_trunk (gconstpointer data)
{
  const Case *test = data;
  Net net = net_new (test);
  g_autoptr (PjLayout) layout = lay_out (&net);
  const double x = layout->boxes[0].x + g_array_index (net.sizes, PjLayoutSize, 0).width / 2;
  g_autofree gboolean *seen = g_new0 (gboolean, layout->n_layers);

  for (unsigned i = 0; i < layout->n_nodes; i++)
    if (fabs (layout->boxes[i].x + g_array_index (net.sizes, PjLayoutSize, i).width / 2 - x) < 1e-6)
      seen[layout->layers[i]] = TRUE;
  for (unsigned i = 0; i < layout->n_layers; i++)
    g_assert_true (seen[i]);
  net_clear (&net);
}

static void
test_same_bits (gconstpointer data)
{
  const Case *test = data;
  Net net = net_new (test);
  g_autoptr (PjLayout) a = lay_out (&net);
  g_autoptr (PjLayout) b = lay_out (&net);

  g_assert_cmpmem (a->boxes, a->n_nodes * sizeof *a->boxes, b->boxes, b->n_nodes * sizeof *b->boxes);
  for (unsigned i = 0; i < a->n_links; i++)
    g_assert_cmpmem (a->curves[i].points, a->curves[i].n_points * sizeof (PjLayoutPoint),
                     b->curves[i].points, b->curves[i].n_points * sizeof (PjLayoutPoint));
  net_clear (&net);
}

static void
test_short_branch (void)
{
  Net net = { g_array_new (FALSE, FALSE, sizeof (PjLayoutSize)),
              g_array_new (FALSE, FALSE, sizeof (PjLayoutLink)) };
  const int start = add (&net, -1);
  int branch = start;

  for (int i = 0; i < 5; i++)
    branch = add (&net, branch, -1);
  const int beside = add (&net, start, -1);
  add (&net, branch, beside, -1);
  g_autoptr (PjLayout) layout = lay_out (&net);
  /* The only box of the short branch stands beside the middle of the long one. */
  g_assert_cmpuint (layout->layers[beside], ==, 3);
  net_clear (&net);
}

static void
test_empty (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (PjLayout) layout = pj_layout_new (NULL, 0, NULL, 0, NULL, &error);

  g_assert_no_error (error);
  g_assert_cmpfloat (layout->width, ==, 48);
  g_assert_cmpfloat (layout->height, ==, 48);
}

static void
test_refuses (void)
{
  const PjLayoutSize sizes[2] = { { 10, 10 }, { 10, 10 } };
  const PjLayoutLink bad[] = { { 1, 0 }, { 0, 2 }, { -1, 1 }, { 1, 1 } };

  for (unsigned i = 0; i < G_N_ELEMENTS (bad); i++) {
    g_autoptr (GError) error = NULL;
    g_assert_null (pj_layout_new (sizes, 2, &bad[i], 1, NULL, &error));
    g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
  }
  g_autoptr (GError) error = NULL;
  g_assert_null (pj_layout_new (sizes, PJ_LAYOUT_MAX_NODES + 1, NULL, 0, NULL, &error));
  g_assert_error (error, PJ_ERROR, PJ_ERROR_INVALID);
}

/* A hostile graph: every box linked with a far one.  The rails stop at their ceiling. */
static void
test_many_long_edges (void)
{
  Net net = { g_array_new (FALSE, FALSE, sizeof (PjLayoutSize)),
              g_array_new (FALSE, FALSE, sizeof (PjLayoutLink)) };
  int at = add (&net, -1);

  for (int i = 0; i < 999; i++)
    at = add (&net, at, -1);
  for (int i = 0; i < 900; i++)
    link_to (&net, i, 999);
  g_autoptr (PjLayout) layout = lay_out (&net);
  for (unsigned i = 0; i < layout->n_links; i++)
    g_assert_cmpuint (layout->curves[i].n_points, >=, 4);
  net_clear (&net);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (unsigned i = 0; i < G_N_ELEMENTS (cases); i++) {
    g_autofree char *properties = g_strdup_printf ("/layout/layered/%s/properties", cases[i].name);
    g_autofree char *trunk = g_strdup_printf ("/layout/layered/%s/straight-trunk", cases[i].name);
    g_autofree char *bits = g_strdup_printf ("/layout/layered/%s/same-bits", cases[i].name);
    g_test_add_data_func (properties, &cases[i], test_properties);
    g_test_add_data_func (trunk, &cases[i], test_trunk);
    g_test_add_data_func (bits, &cases[i], test_same_bits);
  }
  g_test_add_func ("/layout/layered/short-branch-in-the-middle", test_short_branch);
  g_test_add_func ("/layout/layered/empty", test_empty);
  g_test_add_func ("/layout/layered/refuses-bad-links", test_refuses);
  g_test_add_func ("/layout/layered/many-long-edges", test_many_long_edges);
  return g_test_run ();
}
