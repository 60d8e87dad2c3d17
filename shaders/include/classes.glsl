// Sums over the classes of one image: rows of c4 quads, c classes.
#ifndef CLASSES_GLSL
#define CLASSES_GLSL

// log softmax of a value is (value - largest) * inv_t - log_sum, with
//   largest   max value
//   log_sum   log sum exp ((value - largest) * inv_t)
// The two are kept apart: their sum would lose the digits of log_sum to a large value.  A macro,
// because GLSL has no references to buffers.
#define SOFTMAX_SUMS(values, row, c, c4, inv_t, largest, log_sum) \
  do { \
    vec4 most_ = vec4 (uintBitsToFloat (0xff800000u)), sum_ = vec4 (0); \
    for (uint q_ = 0; q_ < c4; q_++) { \
      vec4 v_ = LOAD (values, (row) + q_); \
      most_ = max (most_, mix (most_, v_, bvec4 (lanes_below (q_, c)))); \
    } \
    largest = max (max (most_.x, most_.y), max (most_.z, most_.w)); \
    for (uint q_ = 0; q_ < c4; q_++) \
      sum_ += mix (vec4 (0), exp ((LOAD (values, (row) + q_) - largest) * (inv_t)), bvec4 (lanes_below (q_, c))); \
    log_sum = log ((sum_.x + sum_.y) + (sum_.z + sum_.w)); \
  } while (false)

#endif
