/* SPDX-License-Identifier: MIT */
/* Layouts of slots, and the pieces of memory that hold them. */
#include "base/error.h"
#include "compute/cpu/internal.h"

#include <string.h>

static const int blocks[] = { 1, 8, 16 };

static dnnl_format_tag_t
tag_of (int block)
{
  return block == 16 ? dnnl_nChw16c : block == 8 ? dnnl_nChw8c : dnnl_nchw;
}

size_t
pj_cpu_size (const PjShape *shape, int block)
{
  size_t n_elems = pj_shape_n_elems (shape);
  if (block > 1) {
    size_t c = (size_t) shape->dim[1];
    n_elems = n_elems / c * ((c + block - 1) / block * block);
  }
  return n_elems * sizeof (float);
}

int
pj_cpu_mem_new (PjCpuExec *e, size_t size_bytes)
{
  PjCpuMem mem = { .size_bytes = size_bytes, .last_call = e->call_index, .first = G_MAXINT, .last = -1 };
  g_array_append_val (e->mems, mem);
  return (int) e->mems->len - 1;
}

static int
define_in_store (PjCpuExec *e, const PjSlot *slot)
{
  int mem = pj_cpu_mem_new (e, pj_cpu_size (&slot->shape, 1));
  pj_cpu_mem (e, mem)->is_store = TRUE;
  pj_cpu_mem (e, mem)->data = (float *) e->stores[slot->store]->data + slot->offset;
  return mem;
}

/* TRUE if nobody needs what is in the memory of slot @over once the current call has read it. */
static gboolean
may_overwrite (PjCpuExec *e, int over, int block, size_t size_bytes)
{
  if (over < 0 || e->slots[over].mem < 0 || e->slots[over].block != block)
    return FALSE;
  const PjCpuMem *mem = pj_cpu_mem (e, e->slots[over].mem);
  return !mem->is_store && !mem->keep && mem->last_call <= e->call_index && mem->size_bytes == size_bytes;
}

int
pj_cpu_define (PjCpuExec *e, int index, int block, int over)
{
  const PjSlot *slot = pj_program_slot (e->program, index);
  PjCpuSlot *self = &e->slots[index];
  size_t size = pj_cpu_size (&slot->shape, block);

  if (self->mem >= 0)
    return self->mem;
  self->block = block;
  if (slot->store != PJ_STORE_ARENA) {
    self->block = 1;
    return self->mem = define_in_store (e, slot);
  }
  self->mem = may_overwrite (e, over, block, size) ? e->slots[over].mem : pj_cpu_mem_new (e, size);
  PjCpuMem *mem = pj_cpu_mem (e, self->mem);
  mem->last_call = MAX (mem->last_call, e->last_use[index]);
  mem->keep |= (slot->flags & (PJ_SLOT_HOST | PJ_SLOT_KEEP)) != 0;
  return self->mem;
}

dnnl_memory_desc_t
pj_cpu_md (PjCpuExec *e, int slot, int block)
{
  static const dnnl_format_tag_t plain[] = { dnnl_a, dnnl_a, dnnl_ab, dnnl_abc, dnnl_abcd, dnnl_abcde, dnnl_abcdef };
  const PjShape *shape = pj_cpu_shape (e, slot);
  dnnl_memory_desc_t md;
  dnnl_dims_t dims = { 1 };

  for (unsigned i = 0; i < shape->rank; i++)
    dims[i] = shape->dim[i];
  dnnl_memory_desc_init_by_tag (&md, MAX ((int) shape->rank, 1), dims, dnnl_f32, shape->rank == 4 ? tag_of (block) : plain[shape->rank]);
  return md;
}

int
pj_cpu_block_of (PjCpuExec *e, int slot, const dnnl_memory_desc_t *md)
{
  for (guint i = 0; i < G_N_ELEMENTS (blocks); i++) {
    dnnl_memory_desc_t ours = pj_cpu_md (e, slot, blocks[i]);
    if (dnnl_memory_desc_equal (&ours, md))
      return blocks[i];
  }
  return 0;
}

/* On maps of one pixel a block of channels that divides them all is a run of neighbours anyway. */
static gboolean
same_bytes (const PjShape *shape, int block_a, int block_b)
{
  int largest = MAX (block_a, block_b);
  if (block_a == block_b || shape->rank != 4)
    return TRUE;
  return shape->dim[2] * shape->dim[3] == 1 && shape->dim[1] % largest == 0;
}

int
pj_cpu_get (PjCpuExec *e, int slot, int block, GError **error)
{
  PjCpuSlot *self = &e->slots[slot];

  /* Nobody made it: a parameter, or written by the host, which then writes it as the first reader wants it. */
  if (self->mem < 0)
    pj_cpu_define (e, slot, pj_cpu_shape (e, slot)->rank == 4 ? block : 1, -1);
  if (same_bytes (pj_cpu_shape (e, slot), self->block, block))
    return self->mem;
  for (guint i = 0; i < e->copies->len; i++) {
    const PjCpuCopy *copy = &g_array_index (e->copies, PjCpuCopy, i);
    if (!copy->is_packed && copy->slot == slot && copy->block == block)
      return copy->mem;
  }
  PjCpuCopy copy = { .slot = slot, .block = block, .mem = pj_cpu_mem_new (e, pj_cpu_size (pj_cpu_shape (e, slot), block)) };
  pj_cpu_mem (e, copy.mem)->last_call = e->last_use[slot];
  dnnl_memory_desc_t from = pj_cpu_md (e, slot, self->block), to = pj_cpu_md (e, slot, block);
  if (pj_cpu_reorder (e, &from, self->mem, &to, copy.mem, error) == NULL)
    return -1;
  g_array_append_val (e->copies, copy);
  return copy.mem;
}
