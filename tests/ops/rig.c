/* SPDX-License-Identifier: MIT */
#include "rig.h"

#include <math.h>
#include <string.h>

#include "base/rng.h"

/* Enough for every program here; a fixed size lets slots be placed before the program is complete. */
#define STORE_ELEMS 24576

typedef struct {
  int slot;
  gboolean is_int;
  void *data;
} Host;

struct _Rig {
  PjDevice *device;
  PjProgram *program;
  PjRng rng;
  GArray *hosts;                       /* Host: inputs that the host writes */
  GArray *outputs;                     /* int */
  float *initial[PJ_N_STORES];
  size_t end;                          /* first free element of the stores */
  PjBuffer *stores[PJ_N_STORES];
  PjExecutable *executable;
};

/* One for all rigs of a program: opening takes longer than most of the tests. */
static PjDevice *
open_device (void)
{
  static PjDevice *device;
  g_autoptr (GError) error = NULL;
  const char *id = g_getenv ("PJ_TEST_DEVICE");
  if (device == NULL)
    device = pj_device_open (id ? id : "cpu", &error);
  if (device != NULL)
    return device;
  if (g_strcmp0 (g_getenv ("PJ_TEST_REQUIRE_GPU"), "1") == 0)
    g_error ("%s", error->message);
  g_test_skip (error->message);
  return NULL;
}

static float
noise (PjRng *rng)
{
  float v = (float) pj_rng_normal (rng);
  return pj_rng_below (rng, 29) == 0 ? 5 * v : v;
}

/* What stores hold at first: the same for all rigs of a program, since drawing it takes longer than most of the tests. */
static const float *
first_numbers (int store)
{
  static float *numbers;
  if (numbers == NULL) {
    PjRng rng;
    pj_rng_init (&rng, 1, 1);
    numbers = g_new (float, PJ_N_STORES * STORE_ELEMS);
    for (size_t i = 0; i < PJ_N_STORES * STORE_ELEMS; i++)
      numbers[i] = noise (&rng);
  }
  return numbers + store * STORE_ELEMS;
}

Rig *
rig_new (uint64_t seed)
{
  PjDevice *device = open_device ();
  if (device == NULL)
    return NULL;
  Rig *self = g_new0 (Rig, 1);
  self->device = device;
  self->program = pj_program_new ();
  self->hosts = g_array_new (FALSE, FALSE, sizeof (Host));
  self->outputs = g_array_new (FALSE, FALSE, sizeof (int));
  pj_rng_init (&self->rng, seed, 0);
  for (int s = PJ_STORE_PARAMS; s < PJ_N_STORES; s++)
    self->initial[s] = g_memdup2 (first_numbers (s), STORE_ELEMS * sizeof (float));
  return self;
}

void
rig_free (Rig *self)
{
  if (self == NULL)
    return;
  const PjDeviceClass *klass = self->device->klass;
  if (self->executable != NULL)
    klass->executable_free (self->executable);
  for (int s = 0; s < PJ_N_STORES; s++) {
    if (self->stores[s] != NULL)
      klass->buffer_free (self->stores[s]);
    g_free (self->initial[s]);
  }
  for (guint i = 0; i < self->hosts->len; i++)
    g_free (g_array_index (self->hosts, Host, i).data);
  g_array_unref (self->hosts);
  g_array_unref (self->outputs);
  pj_program_free (self->program);
  g_free (self);
}

PjProgram *
rig_program (Rig *self)
{
  return self->program;
}

/* --- slots --- */

static int
host_slot (Rig *self, PjShape shape, void *data, PjSlotFlags extra)
{
  int slot = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST | PJ_SLOT_KEEP | extra, shape, 0, -1);
  Host host = { slot, extra != 0, data };
  g_array_append_val (self->hosts, host);
  return slot;
}

int
rig_input_from (Rig *self, PjShape shape, const float *data)
{
  return host_slot (self, shape, g_memdup2 (data, pj_shape_n_elems (&shape) * sizeof (float)), 0);
}

int
rig_input (Rig *self, PjShape shape)
{
  size_t n = pj_shape_n_elems (&shape);
  float *data = g_new (float, n);
  for (size_t i = 0; i < n; i++)
    data[i] = noise (&self->rng);
  return host_slot (self, shape, data, 0);
}

int
rig_input_if (Rig *self, gboolean present, PjShape shape)
{
  return present ? rig_input (self, shape) : -1;
}

int
rig_input_around (Rig *self, PjShape shape, float centre, float spread)
{
  size_t n = pj_shape_n_elems (&shape);
  float *data = g_new (float, n);
  for (size_t i = 0; i < n; i++)
    data[i] = centre + spread * (float) (2 * pj_rng_uniform (&self->rng) - 1);
  return host_slot (self, shape, data, 0);
}

int
rig_activation (Rig *self, gboolean through_conv, PjShape shape)
{
  int x = rig_input (self, shape);
  if (!through_conv || shape.rank != 4)
    return x;
  int64_t c = shape.dim[1];
  int w = rig_param (self, PJ_SHAPE (c, c, 1, 1), 0, 0);
  int y = rig_temp (self, 0, shape);
  for (int64_t i = 0; i < c; i++)
    self->initial[PJ_STORE_PARAMS][pj_program_slot (self->program, w)->offset + (size_t) (i * c + i)] = 1.0f;
  PjCall *call = rig_call (self, PJ_KERNEL_CONV);
  call->conv = (PjConvParams) { .kernel = { 1, 1 }, .stride = { 1, 1 }, .dilation = { 1, 1 }, .groups = 1 };
  rig_in (call, x, w);
  rig_out (call, y);
  return y;
}

int
rig_labels (Rig *self, int64_t n, int64_t classes)
{
  gint32 *labels = g_new (gint32, n);
  for (int64_t i = 0; i < n; i++)
    labels[i] = (gint32) pj_rng_below (&self->rng, (uint32_t) classes);
  labels[n - 1] = (gint32) classes - 1;
  return host_slot (self, PJ_SHAPE (n), labels, PJ_SLOT_INT32);
}

static int
store_slot (Rig *self, PjStore store, PjShape shape)
{
  size_t n = pj_shape_n_elems (&shape);
  int slot = pj_program_add_slot (self->program, store, 0, shape, self->end, -1);
  /* As in compute/params.h: multiples of 64 elements, with zeros between the tensors. */
  for (size_t i = self->end + n; i % 64 != 0; i++)
    self->initial[store][i] = 0;
  self->end += (n + 63) / 64 * 64;
  g_assert_cmpuint (self->end, <=, STORE_ELEMS);
  return slot;
}

int
rig_param (Rig *self, PjShape shape, float centre, float spread)
{
  size_t start = self->end;
  int slot = store_slot (self, PJ_STORE_PARAMS, shape);
  for (size_t i = start; i < start + pj_shape_n_elems (&shape); i++)
    self->initial[PJ_STORE_PARAMS][i] = centre + spread * (float) (2 * pj_rng_uniform (&self->rng) - 1);
  return slot;
}

int
rig_param_if (Rig *self, gboolean present, PjShape shape)
{
  return present ? rig_param (self, shape, 0, 1) : -1;
}

int
rig_grad (Rig *self, PjShape shape)
{
  return store_slot (self, PJ_STORE_GRADS, shape);
}

int
rig_output (Rig *self, PjShape shape)
{
  int slot = pj_program_add_slot (self->program, PJ_STORE_ARENA, PJ_SLOT_HOST, shape, 0, -1);
  g_array_append_val (self->outputs, slot);
  return slot;
}

int
rig_temp (Rig *self, PjSlotFlags flags, PjShape shape)
{
  return pj_program_add_slot (self->program, PJ_STORE_ARENA, flags, shape, 0, -1);
}

PjCall *
rig_call (Rig *self, PjKernel kernel)
{
  return pj_program_add_call (self->program, kernel, PJ_SEGMENT_FORWARD, -1);
}

void
rig_operands (int *operands, const int *slots, size_t n)
{
  memcpy (operands, slots, n * sizeof (int));
}

/* --- comparing --- */

#define ALL_SEGMENTS ((1u << PJ_N_SEGMENTS) - 1)

static void
run_on_device (Rig *self)
{
  g_autoptr (GError) error = NULL;
  const PjDeviceClass *klass = self->device->klass;

  for (int s = PJ_STORE_PARAMS; s < PJ_N_STORES; s++)
    g_assert_true (klass->buffer_write (self->stores[s], 0, self->initial[s], STORE_ELEMS * sizeof (float), NULL));
  for (guint i = 0; i < self->hosts->len; i++) {
    const Host *host = &g_array_index (self->hosts, Host, i);
    g_assert_true (klass->write (self->executable, host->slot, host->data, NULL));
  }
  klass->run (self->executable, ALL_SEGMENTS, &error);
  g_assert_no_error (error);
}

static void
prepare (Rig *self)
{
  g_autoptr (GError) error = NULL;
  const PjDeviceClass *klass = self->device->klass;

  for (int s = PJ_STORE_PARAMS; s < PJ_N_STORES; s++) {
    self->stores[s] = klass->buffer_new (self->device, STORE_ELEMS * sizeof (float), &error);
    g_assert_no_error (error);
  }
  self->executable = klass->compile (self->device, self->program, self->stores, &error);
  g_assert_no_error (error);
}

float *
rig_read (Rig *self, int slot)
{
  g_autoptr (GError) error = NULL;
  float *data = g_new (float, pj_shape_n_elems (&pj_program_slot (self->program, slot)->shape));
  self->device->klass->read (self->executable, slot, data, &error);
  g_assert_no_error (error);
  return data;
}

static float *
read_store (Rig *self, int store)
{
  float *data = g_new (float, STORE_ELEMS);
  g_assert_true (self->device->klass->buffer_read (self->stores[store], 0, data, STORE_ELEMS * sizeof (float), NULL));
  return data;
}

static void
compare (const float *a, const double *b, size_t n, double tolerance, const char *what, const char *tensor, int number)
{
  /* The operands are of order 1: what cancels to nothing may leave their rounding error. */
  double scale = 0.1;
  for (size_t i = 0; i < n; i++)
    scale = MAX (scale, fabs (b[i]));
  for (size_t i = 0; i < n; i++)
    if (!(fabs (a[i] - b[i]) <= tolerance * scale))
      g_error ("%s: %s %d, element %zu of %zu is %.9g, the reference has %.9g (tolerance %g of %g)", what, tensor, number, i, n,
               a[i], b[i], tolerance, scale);
}

/* Tensors in stores one by one, so that a small one is not measured by a large one; then the gaps. */
static void
compare_stores (Rig *self, const Reference *reference, const char *what, double tolerance)
{
  for (int s = PJ_STORE_PARAMS; s < PJ_N_STORES; s++) {
    g_autofree float *data = read_store (self, s);
    g_autofree gboolean *seen = g_new0 (gboolean, STORE_ELEMS);
    for (guint i = 0; i < self->program->slots->len; i++) {
      const PjSlot *slot = pj_program_slot (self->program, i);
      size_t n = pj_shape_n_elems (&slot->shape);
      if ((int) slot->store != s)
        continue;
      compare (data + slot->offset, reference->slots[i], n, tolerance, what, "store", s);
      for (size_t k = 0; k < n; k++)
        seen[slot->offset + k] = TRUE;
    }
    for (size_t i = 0; i < STORE_ELEMS; i++)
      if (!seen[i] && !(fabs (data[i] - reference->stores[s][i]) <= 1e-6 * MAX (1, fabs (reference->stores[s][i]))))
        g_error ("%s: element %zu of store %d belongs to no tensor and is %g, expected %g", what, i, s, data[i],
                 reference->stores[s][i]);
  }
}

static void
check_repeats (Rig *self, const char *what)
{
  g_autoptr (GPtrArray) first = g_ptr_array_new_with_free_func (g_free);
  guint n = self->outputs->len;

  for (guint i = 0; i < n; i++)
    g_ptr_array_add (first, rig_read (self, g_array_index (self->outputs, int, i)));
  for (int s = PJ_STORE_PARAMS; s < PJ_N_STORES; s++)
    g_ptr_array_add (first, read_store (self, s));
  run_on_device (self);
  for (guint i = 0; i < first->len; i++) {
    int slot = i < n ? g_array_index (self->outputs, int, i) : -1;
    g_autofree float *again = slot >= 0 ? rig_read (self, slot) : read_store (self, (int) (PJ_STORE_PARAMS + i - n));
    size_t n_elems = slot >= 0 ? pj_shape_n_elems (&pj_program_slot (self->program, slot)->shape) : STORE_ELEMS;
    if (memcmp (again, first->pdata[i], n_elems * sizeof (float)) != 0)
      g_error ("%s: a second run gives other bits in tensor %u", what, i);
  }
}

void
rig_check (Rig *self, const char *what, double tolerance)
{
  g_autoptr (Reference) reference = reference_new (self->program, (const float *const *) self->initial, STORE_ELEMS);

  for (guint i = 0; i < self->hosts->len; i++) {
    const Host *host = &g_array_index (self->hosts, Host, i);
    if (host->is_int)
      reference_write_ints (reference, host->slot, host->data);
    else
      reference_write (reference, host->slot, host->data);
  }
  reference_run (reference, ALL_SEGMENTS);
  prepare (self);
  run_on_device (self);
  for (guint i = 0; i < self->outputs->len; i++) {
    int slot = g_array_index (self->outputs, int, i);
    g_autofree float *data = rig_read (self, slot);
    compare (data, reference->slots[slot], pj_shape_n_elems (&pj_program_slot (self->program, slot)->shape), tolerance, what,
             "output", (int) i);
  }
  compare_stores (self, reference, what, tolerance);
  check_repeats (self, what);
}

GBytes *
rig_bits (Rig *self)
{
  g_autoptr (GByteArray) bits = g_byte_array_new ();
  for (guint i = 0; i < self->outputs->len; i++) {
    int slot = g_array_index (self->outputs, int, i);
    g_autofree float *data = rig_read (self, slot);
    g_byte_array_append (bits, (const guint8 *) data,
                         (guint) (pj_shape_n_elems (&pj_program_slot (self->program, slot)->shape) * sizeof (float)));
  }
  for (int s = PJ_STORE_PARAMS; s < PJ_N_STORES; s++) {
    g_autofree float *data = read_store (self, s);
    g_byte_array_append (bits, (const guint8 *) data, (guint) (STORE_ELEMS * sizeof (float)));
  }
  return g_byte_array_free_to_bytes (g_steal_pointer (&bits));
}
