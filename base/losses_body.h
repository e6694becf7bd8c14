// The arithmetic of the loss kernels, included after kernels_body.h by one file per instruction set
// and under the same rules. Lanes<float> also has Bits and Halves, as many unsigned integers of 32
// and of 16 bits as a register has reals.

// ---- logits ---------------------------------------------------------------------------------

template <class Stored>
using RealOf = typename LossRoutines<Stored>::Real;
template <class Stored>
using Register = typename Lanes<RealOf<Stored>>::V;

template <class To, class From>
inline To bits_of(From x) {
  static_assert(sizeof(To) == sizeof(From), "only the type changes");
  To out;
  memcpy(&out, &x, sizeof out);
  return out;
}

#if defined(__GNUC__)
template <class To, class From>
inline To each_as(From x) {
  return __builtin_convertvector(x, To);
}
#else
template <class To, class From>
inline To each_as(From x) {
  return static_cast<To>(x);
}
#endif

inline Register<float> load(const Bfloat16* p) {
  Lanes<float>::Halves halves;
  memcpy(&halves, p, sizeof halves);
  return bits_of<Register<float>>(each_as<Lanes<float>::Bits>(halves) << 16);
}

// Rounds to the nearest, ties to even.
inline void store(Bfloat16* p, Register<float> x) {
  using Bits = Lanes<float>::Bits;
  const Bits bits = bits_of<Bits>(x);
  const Bits rounded = (bits + 0x7FFFu + ((bits >> 16) & 1u)) >> 16;
  const auto halves = each_as<Lanes<float>::Halves>(rounded);
  memcpy(p, &halves, sizeof halves);
}

// The last reals of a row, fewer than a register holds, with minus infinity behind them.
template <class Stored>
inline Register<Stored> load_end(const Stored* p, int64_t count) {
  constexpr int width = Lanes<RealOf<Stored>>::width;
  Stored lanes[width];
  for (int i = 0; i < width; ++i) {
    if (i < count) {
      lanes[i] = p[i];
    } else {
      narrow(-HUGE_VAL, &lanes[i]);
    }
  }
  return load(lanes);
}

template <class Stored>
inline void store_end(Stored* p, Register<Stored> x, int64_t count) {
  Stored lanes[Lanes<RealOf<Stored>>::width];
  store(lanes, x);
  memcpy(p, lanes, static_cast<size_t>(count) * sizeof(Stored));
}

// ---- functions ------------------------------------------------------------------------------

// One function for each lane: float64 serves checks of gradients, where speed does not matter.
inline Register<double> by_lane(Register<double> x, double (*function)(double)) {
  double lanes[Lanes<double>::width];
  store(lanes, x);
  for (double& lane : lanes) lane = function(lane);
  return load(lanes);
}

// exp(x) for x <= 0 (or as little above as rounding makes it): 2^n exp(r) with |r| <= log(2) / 2
// and the power series of exp, whose rest is below 1.3e-7. Zero below -87; NaN stays.
inline Register<float> exponential(Register<float> x) {
  using V = Register<float>;
  using Bits = Lanes<float>::Bits;
  const V lowest = broadcast(-87.0f);
  const V rounder = broadcast(12582912.0f);  // 1.5 * 2^23: a sum with it holds n in its last bits
  const V inside = x < lowest ? lowest : x;
  const V sum = multiply_add(inside, broadcast(1.44269504f), rounder);
  const V n = sum - rounder;
  // log(2) in two parts, of which n times the first is exact
  const V r =
      multiply_add(n, broadcast(2.12194440e-4f), multiply_add(n, broadcast(-0.693359375f), inside));
  V series = broadcast(1.0f / 720);
  constexpr float coefficients[] = {1.0f / 120, 1.0f / 24, 1.0f / 6, 1.0f / 2, 1, 1};
  for (const float coefficient : coefficients) {
    series = multiply_add(series, r, broadcast(coefficient));
  }
  const Bits power = (bits_of<Bits>(sum) << 23) + 0x3F800000u;
  return x < lowest ? broadcast(0.0f) : series * bits_of<V>(power);
}
inline Register<double> exponential(Register<double> x) { return by_lane(x, exp); }

// log(1 + x) for 0 <= x <= 1: 2 artanh(s) with s = x / (2 + x) <= 1/3, by its power series, whose
// rest is below 2e-8.
inline Register<float> log1p_of(Register<float> x) {
  const Register<float> s = x / (x + broadcast(2.0f)), square = s * s;
  Register<float> series = broadcast(2.0f / 13);
  constexpr float odds[] = {11, 9, 7, 5, 3, 1};
  for (const float odd : odds) {
    series = multiply_add(series, square, broadcast(2.0f / odd));
  }
  return s * series;
}
inline Register<double> log1p_of(Register<double> x) { return by_lane(x, log1p); }

template <class V>
inline V larger(V a, V b) {
  return a > b ? a : b;
}

// log(1 + exp(x))
template <class V>
inline V softplus_of(V x, V zero) {
  return larger(x, zero) + log1p_of(exponential(-magnitude(x)));
}

// 1 / (1 + exp(-x))
template <class V>
inline V sigmoid_of(V x, V zero, V one) {
  const V small = exponential(-magnitude(x));
  return (x < zero ? small : one) / (one + small);
}

// ---- rows -----------------------------------------------------------------------------------

// Registers that are summed before the sum goes into a double.
constexpr int64_t kRun = 256;

inline int64_t end_of_run(int64_t begin, int64_t end, int width) {
  return begin + kRun * width < end ? begin + kRun * width : end;
}

template <class Stored>
void softmax_sums(const Stored* row, int64_t n, double* out) {
  using Real = RealOf<Stored>;
  using V = Register<Stored>;
  constexpr int width = Lanes<Real>::width;
  const int64_t whole = n - n % width;
  const V rest = load_end(row + whole, n - whole);
  V most = rest;
  for (int64_t k = 0; k < whole; k += width) most = larger(load(row + k), most);
  Real lanes[width];
  store(lanes, most);
  Real largest = lanes[0];
  for (const Real lane : lanes) largest = larger(lane, largest);

  const V top = broadcast(largest);
  double total = across(exponential(rest - top)), distance = 0;
  for (int64_t begin = 0; begin < whole; begin += kRun * width) {
    V sum = broadcast(Real(0)), plain = sum;
    for (int64_t k = begin; k < end_of_run(begin, whole, width); k += width) {
      const V below = load(row + k) - top;
      sum = sum + exponential(below);
      plain = plain + below;
    }
    total += across(sum);
    distance += across(plain);
  }
  for (int64_t k = whole; k < n; ++k) distance += widen(row[k]) - largest;
  out[0] = largest;
  out[1] = total;
  out[2] = distance;
}

template <class Stored>
void softmax_gradient(const Stored* row, int64_t n, RealOf<Stored> largest, RealOf<Stored> scale,
                      RealOf<Stored> shift, Stored* out) {
  using V = Register<Stored>;
  constexpr int width = Lanes<RealOf<Stored>>::width;
  const V top = broadcast(largest), factor = broadcast(scale), addend = broadcast(shift);
  int64_t k = 0;
  for (; k + width <= n; k += width) {
    store(out + k, multiply_add(factor, exponential(load(row + k) - top), addend));
  }
  if (k == n) return;
  const V rest = exponential(load_end(row + k, n - k) - top);
  store_end(out + k, multiply_add(factor, rest, addend), n - k);
}

template <class Stored>
void softplus_sums(const Stored* row, int64_t n, double* out) {
  using Real = RealOf<Stored>;
  using V = Register<Stored>;
  constexpr int width = Lanes<Real>::width;
  const int64_t whole = n - n % width;
  const V zero = broadcast(Real(0));
  double total = across(softplus_of(load_end(row + whole, n - whole), zero)), values = 0;
  for (int64_t begin = 0; begin < whole; begin += kRun * width) {
    V sum = zero, plain = zero;
    for (int64_t k = begin; k < end_of_run(begin, whole, width); k += width) {
      const V x = load(row + k);
      sum = sum + softplus_of(x, zero);
      plain = plain + x;
    }
    total += across(sum);
    values += across(plain);
  }
  for (int64_t k = whole; k < n; ++k) values += widen(row[k]);
  out[0] = total;
  out[1] = values;
}

template <class Stored>
void softplus_gradient(const Stored* row, int64_t n, RealOf<Stored> scale, RealOf<Stored> shift,
                       Stored* out) {
  using Real = RealOf<Stored>;
  using V = Register<Stored>;
  constexpr int width = Lanes<Real>::width;
  const V factor = broadcast(scale), addend = broadcast(shift);
  const V zero = broadcast(Real(0)), one = broadcast(Real(1));
  int64_t k = 0;
  for (; k + width <= n; k += width) {
    store(out + k, multiply_add(factor, sigmoid_of(load(row + k), zero, one), addend));
  }
  if (k == n) return;
  const V rest = sigmoid_of(load_end(row + k, n - k), zero, one);
  store_end(out + k, multiply_add(factor, rest, addend), n - k);
}

// ---- table ----------------------------------------------------------------------------------

template <class Stored>
constexpr LossRoutines<Stored> kLosses = {softmax_sums<Stored>, softmax_gradient<Stored>,
                                          softplus_sums<Stored>, softplus_gradient<Stored>};

#define OPENKE_LOSSES kLosses<float>, kLosses<double>, kLosses<Bfloat16>
