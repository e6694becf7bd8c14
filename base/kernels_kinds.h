// The four similarities of the score kernels; a part of kernels_body.h.
//
// A coordinate is `parts` registers of each row. add() takes one coordinate into a sum, score()
// turns the sum over all coordinates into the score, weight() prepares an incoming gradient, and
// push() adds weight * d score / d own to acc. Every kind is symmetric, so `own` may be the query
// or the candidate.

struct Dot {
  static constexpr int parts = 1;
  static constexpr bool distance = false, weight_needs_score = false;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    return multiply_add(q[0], c[0], sum);
  }
  static inline double score(double sum) { return sum; }
  static inline double weight(double grad, double) { return grad; }
  template <class V>
  static inline void push(const V*, const V* other, V weight, V* acc) {
    acc[0] = multiply_add(weight, other[0], acc[0]);
  }
};

struct L1 {
  static constexpr int parts = 1;
  static constexpr bool distance = true, weight_needs_score = false;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    return sum + magnitude(q[0] - c[0]);
  }
  static inline double score(double sum) { return -sum; }
  static inline double weight(double grad, double) { return grad; }
  template <class V>
  static inline void push(const V* own, const V* other, V weight, V* acc) {
    acc[0] = acc[0] + times_sign(weight, other[0] - own[0]);
  }
};

struct L2 {
  static constexpr int parts = 1;
  static constexpr bool distance = true, weight_needs_score = true;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    const V difference = q[0] - c[0];
    return multiply_add(difference, difference, sum);
  }
  static inline double score(double sum) { return -sqrt(sum); }
  static inline double weight(double grad, double score) {
    return score == 0 ? 0 : grad / -score;  // at distance zero the subgradient is zero
  }
  template <class V>
  static inline void push(const V* own, const V* other, V weight, V* acc) {
    acc[0] = multiply_add(weight, other[0] - own[0], acc[0]);
  }
};

// Twice the root, and twice its inverse, are what a Newton step gives for free; score() and
// weight() halve them once.
struct Complex {
  static constexpr int parts = 2;
  static constexpr bool distance = true, weight_needs_score = false;
  template <class V>
  static inline V add(V sum, const V* q, const V* c) {
    const V real = q[0] - c[0], imaginary = q[1] - c[1];
    return add_twice_root(sum, multiply_add(imaginary, imaginary, real * real));
  }
  static inline double score(double sum) { return -0.5 * sum; }
  static inline double weight(double grad, double) { return 0.5 * grad; }
  template <class V>
  static inline void push(const V* own, const V* other, V weight, V* acc) {
    const V real = other[0] - own[0], imaginary = other[1] - own[1];
    const V squared = multiply_add(imaginary, imaginary, real * real);
    const V scale = times_twice_inverse_root(weight, squared);
    acc[0] = multiply_add(scale, real, acc[0]);
    acc[1] = multiply_add(scale, imaginary, acc[1]);
  }
};
