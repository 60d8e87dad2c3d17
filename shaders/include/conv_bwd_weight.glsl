// What the shaders of the gradient by the weights share: geometry and the layout of partial sums.
//
//   dw[o, i, ty, tx] = sum over n, r, c of dy[n, o, r, c] · x[n, i, r·scale_y + first_y + ty·step_y, …]
//
// A sum over all pixels of the batch with a small result: the pixels are split into n_splits parts whose partial
// sums conv_bwd_weight_sum.comp adds in order.  A group computes one part of one tile, 4·OQ output channels by
// 4·IQ input channels, for T taps side by side:
//   partial quad [split][tile][tap group][t][o][iq]: input channels 4·iq … 4·iq + 3 of the tile
// Tiles count input blocks from the first one that the groups of its output channels reach (conv.glsl).
#ifndef CONV_BWD_WEIGHT_GLSL
#define CONV_BWD_WEIGHT_GLSL

layout (push_constant) uniform Push {
  int x_n, x_c, x_y, x_x;       // strides of x in quads: image, block of channels, row, pixel
  int x_h, x_w;
  int y_n, y_c, y_y, y_x;       // strides of dy
  int images, rows, columns;    // pixels of dy
  int taps_x;
  int scale_y, scale_x, first_y, first_x, step_y, step_x;
  int n_splits, first_split;    // this dispatch writes parts first_split … first_split + n_splits − 1
  int tiles, in_tiles;          // all tiles; tiles of input channels for each tile of output channels
  int tap_groups;
  int n_blocks, x_c4, y_c4;     // as in conv.glsl
  int group_out, group_in;
} p;

int
first_block (int first_channel)
{
  return min (first_channel / p.group_out * p.group_in / 4, p.x_c4 - p.n_blocks);
}

// Groups are tiles, folded into x and y by the host, and in z tap groups within splits.
int
group_tile ()
{
  return int (gl_WorkGroupID.y * gl_NumWorkGroups.x + gl_WorkGroupID.x);
}

int
partial_place (int split, int tile, int tap, int quads)
{
  return (((p.first_split + split) * p.tiles + tile) * p.tap_groups + tap) * quads;
}

#endif
