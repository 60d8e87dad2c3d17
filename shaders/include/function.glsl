// Functions of one number and their slopes, see PjFunction in engine/ops/params.h.
#ifndef FUNCTION_GLSL
#define FUNCTION_GLSL

layout (constant_id = 1) const uint FUNCTION = 0;

const float SQRT_HALF = 0.70710678118654752, TWO_BY_SQRT_PI = 1.12837916709551257;

float
sigmoid (float x)
{
  return 1.0 / (1.0 + exp (-x));
}

// Error of 1e-7: the series near zero, and the rational approximation 7.1.26 of Abramowitz and Stegun beyond.
float
erf (float x)
{
  float s = x * x, t = 1.0 / (1.0 + 0.3275911 * abs (x));
  float near = x * TWO_BY_SQRT_PI * (1.0 - s * (1.0 / 3.0 - s * (1.0 / 10.0 - s * (1.0 / 42.0 - s / 216.0))));
  float far = 1.0 - t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) * exp (-s);
  return abs (x) < 0.4 ? near : sign (x) * far;
}

// tanh without the overflow of exp.
float
tangent (float x)
{
  float t = 1.0 - 2.0 / (exp (2.0 * abs (x)) + 1.0);
  float s = x * x;
  return abs (x) < 0.1 ? x * (1.0 - s * (1.0 / 3.0 - s * (2.0 / 15.0))) : sign (x) * t;
}

// pow of GLSL knows no negative base.
float
power (float x, float a)
{
  if (a == 2.0)
    return x * x;
  if (a == 1.0 || a == 0.0)
    return a == 0.0 ? 1.0 : x;
  float p = pow (abs (x), a);
  if (x >= 0.0)
    return p;
  return fract (a) != 0.0 ? uintBitsToFloat (0x7fc00000u) : mod (a, 2.0) != 0.0 ? -p : p;
}

float
f (float x, float a, float b)
{
  switch (FUNCTION) {
  case 0: return a * x + b;
  case 1: return x >= 0.0 ? x : a * x;
  case 2: return x >= 0.0 ? x : a * (abs (x) < 0.05 ? x * (1.0 + x * (0.5 + x * (1.0 / 6.0 + x / 24.0))) : exp (x) - 1.0);
  case 3: return sigmoid (x);
  case 4: return clamp (a * x + b, 0.0, 1.0);
  case 5: return x * clamp (x / 6.0 + 0.5, 0.0, 1.0);
  case 6: return x * sigmoid (x);
  case 7: return tangent (x);
  case 8: return 0.5 * x * (1.0 + erf (x * SQRT_HALF));
  case 9: return max (x, 0.0) + log (1.0 + exp (-abs (x)));
  case 10: return max (a, min (b, x));
  case 11: return erf (x);
  case 12: return exp (x);
  case 13: return log (x);
  case 14: return sqrt (x);
  case 15: return abs (x);
  case 16: return power (x, a);
  default: return a / x;
  }
}

float
slope (float x, float a, float b)
{
  switch (FUNCTION) {
  case 0: return a;
  case 1: return x >= 0.0 ? 1.0 : a;
  case 2: return x >= 0.0 ? 1.0 : a * exp (x);
  case 3: return sigmoid (x) * sigmoid (-x);
  case 4: return a * x + b > 0.0 && a * x + b < 1.0 ? a : 0.0;
  case 5: return x <= -3.0 ? 0.0 : x >= 3.0 ? 1.0 : x / 3.0 + 0.5;
  case 6: return sigmoid (x) * (1.0 + x * sigmoid (-x));
  case 7: return 1.0 - tangent (x) * tangent (x);
  case 8: return 0.5 * (1.0 + erf (x * SQRT_HALF)) + x * 0.5 * TWO_BY_SQRT_PI * SQRT_HALF * exp (-0.5 * x * x);
  case 9: return sigmoid (x);
  case 10: return x > a && x < b ? 1.0 : 0.0;
  case 11: return TWO_BY_SQRT_PI * exp (-x * x);
  case 12: return exp (x);
  case 13: return 1.0 / x;
  case 14: return 0.5 / sqrt (x);
  case 15: return sign (x);
  case 16: return a * power (x, a - 1.0);
  default: return -a / (x * x);
  }
}

#endif
