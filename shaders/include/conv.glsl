// What every convolution shader knows: geometry, in one block of push constants.
//
// A convolution, its gradient by the input, a matrix product and its gradient are one thing to the shaders,
// a sum over taps and blocks of channels:
//
//   y[n, o, r, c] = sum over ty < taps_y, tx < taps_x, k of
//       x[n, k, r·scale_y + first_y + ty·step_y, c·scale_x + first_x + tx·step_x] · w[o, k, ty, tx]
//
// where x outside its map is 0.  Forward: scale = stride, first = −pad, step = dilation.  The gradient by the
// input is split by the host into stride_y·stride_x phases; the pixels of one phase meet the same taps, so each
// is such a sum with scale 1 and a result that is strided in memory.  A product x·wᵀ is the case of one tap and
// one row, whose "pixels" are the rows of x.  All strides of x and y count quads (see quads.glsl).
//
// Weights are packed by conv_pack.comp for a tile of TILE result channels:
//   quad [tile][tap][k][o]: channels 4k … 4k+3 of the source, result channel tile·TILE + o
// In a grouped convolution a tile sums only the blocks of channels that its groups reach; weights between
// channels of different groups are packed as 0, so groups of any size are right.
#ifndef CONV_GLSL
#define CONV_GLSL

layout (push_constant) uniform Push {
  int x_n, x_c, x_y, x_x;       // strides of the source: image, block of channels, row, pixel
  int x_h, x_w;                 // its map
  int y_n, y_c, y_y, y_x;       // strides of the result
  int y_first;                  // quad of its first pixel
  int images, rows, columns;    // pixels of the result that this dispatch writes
  int taps_y, taps_x;
  int scale_y, scale_x, first_y, first_x, step_y, step_x;
  int w_tile, w_y, w_x, w_first;    // strides of the packed weights: tile, row of taps, tap; the first tap
  int n_blocks;                 // blocks of source channels summed for a tile
  int x_c4;                     // blocks of source channels
  int y_channels;               // result channels
  int group_out, group_in;      // result and source channels of one group
  float ceiling;                // of the ReLU that is applied last; negative: none
} p;

// First block of source channels that the groups of a tile reach, moved down where the n_blocks from there
// would leave the source.
int
first_block (int first_channel)
{
  return min (first_channel / p.group_out * p.group_in / 4, p.x_c4 - p.n_blocks);
}

#endif
