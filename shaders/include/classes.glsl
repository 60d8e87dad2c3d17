// Sums over the classes of one image: rows of c4 quads, c classes.
#ifndef CLASSES_GLSL
#define CLASSES_GLSL

// Sums over the classes of one row, in a macro because GLSL has no references to buffers.
//   largest   max value
//   scaled    log sum exp (value * inv_t), with the largest taken out first
#define LARGEST(values, row, c, c4, result) \
  do { \
    vec4 most_ = vec4 (uintBitsToFloat (0xff800000u)); \
    for (uint q_ = 0; q_ < c4; q_++) { \
      vec4 v_ = LOAD (values, (row) + q_); \
      most_ = max (most_, mix (most_, v_, bvec4 (lanes_below (q_, c)))); \
    } \
    result = max (max (most_.x, most_.y), max (most_.z, most_.w)); \
  } while (false)

#define LOG_SUM_EXP(values, row, c, c4, inv_t, result) \
  do { \
    float largest_; \
    LARGEST (values, row, c, c4, largest_); \
    vec4 sum_ = vec4 (0); \
    for (uint q_ = 0; q_ < c4; q_++) \
      sum_ += exp ((LOAD (values, (row) + q_) - largest_) * (inv_t)) * lanes_below (q_, c); \
    result = largest_ * (inv_t) + log ((sum_.x + sum_.y) + (sum_.z + sum_.w)); \
  } while (false)

#endif
