// Alternating CFR+ with linear averaging for two-player zero-sum games in
// sequence form, in plain single-threaded C99. It is the yardstick that the
// benchmarks compare against. REAL is the floating-point type: double or float.
//
// A player has num_infostates infostates, numbered parents first, and
// num_sequences sequences, of which number 0 is the empty one. The actions of
// infostate k are the sequences first[k], ..., first[k + 1] - 1, and it lies
// under the player's own sequence parent[k] < first[k].

#include <stdint.h>

#ifndef REAL
#define REAL double
#endif

struct player {
  int32_t num_infostates;
  int32_t num_sequences;
  const int32_t *parent;   // [num_infostates]
  const int32_t *first;    // [num_infostates + 1]
  const int32_t *indptr;   // [num_sequences + 1]; the player's own payoffs in
  const int32_t *indices;  // [nonzeros]; compressed rows: a row for each of
  const REAL *data;        // [nonzeros]; their sequences, by the opponent's.
  REAL *gain;              // [num_sequences]; scratch.
  REAL *regret;            // [num_sequences]
  REAL *policy;            // [num_sequences]
  REAL *plan;              // [num_sequences]
  REAL *sum;               // [num_sequences]; the weighted sum of the plans.
};

// Sets the gain of each sequence to its payoff against the opponent's plan, and
// adds the player's own plan to the weighted sum.
static void meet(const struct player *self, const REAL *opponent, REAL weight) {
  const int32_t *restrict indptr = self->indptr;
  const int32_t *restrict indices = self->indices;
  const REAL *restrict data = self->data;
  const REAL *restrict plan = self->plan;
  REAL *restrict gain = self->gain;
  REAL *restrict sum = self->sum;

  for (int32_t s = 0; s < self->num_sequences; s++) {
    REAL payoff = 0;
    for (int32_t e = indptr[s]; e < indptr[s + 1]; e++) {
      payoff += data[e] * opponent[indices[e]];
    }
    gain[s] = payoff;
    sum[s] += weight * plan[s];
  }
}

// From the leaves to the root: adds the value of each infostate to the gain of
// the sequence above it, and the advantages of its actions to their regrets.
static void update_regret(const struct player *self) {
  const int32_t *restrict parent = self->parent;
  const int32_t *restrict first = self->first;
  const REAL *restrict policy = self->policy;
  REAL *restrict gain = self->gain;
  REAL *restrict regret = self->regret;

  for (int32_t k = self->num_infostates - 1; k >= 0; k--) {
    const int32_t begin = first[k], end = first[k + 1];
    REAL value = 0;
    for (int32_t s = begin; s < end; s++) value += policy[s] * gain[s];
    for (int32_t s = begin; s < end; s++) {
      const REAL updated = regret[s] + (gain[s] - value);
      regret[s] = updated > 0 ? updated : 0;
    }
    gain[parent[k]] += value;
  }
}

// From the root to the leaves: matches the regrets, which gives the policy of
// each infostate and with it the plan.
static void update_plan(const struct player *self) {
  const int32_t *restrict parent = self->parent;
  const int32_t *restrict first = self->first;
  const REAL *restrict regret = self->regret;
  REAL *restrict policy = self->policy;
  REAL *restrict plan = self->plan;

  for (int32_t k = 0; k < self->num_infostates; k++) {
    const int32_t begin = first[k], end = first[k + 1];
    const REAL reach = plan[parent[k]];
    REAL total = 0;
    for (int32_t s = begin; s < end; s++) total += regret[s];
    const REAL scale = 1 / (total > 0 ? total : (REAL)(end - begin));
    for (int32_t s = begin; s < end; s++) {
      policy[s] = scale * (total > 0 ? regret[s] : 1);
      plan[s] = reach * policy[s];
    }
  }
}

// Sets the policies and plans of two players whose regrets are given.
void start(const struct player *players) {
  for (int i = 0; i < 2; i++) {
    players[i].plan[0] = 1;
    update_plan(&players[i]);
  }
}

// Makes the updates that follow the first num_done. In each, player 0 goes
// first and player 1 meets the new plan.
void cfr_plus(const struct player *players, int64_t num_done,
              int64_t num_updates) {
  for (int64_t t = num_done + 1; t <= num_done + num_updates; t++) {
    for (int i = 0; i < 2; i++) {
      meet(&players[i], players[1 - i].plan, (REAL)t);
      update_regret(&players[i]);
      update_plan(&players[i]);
    }
  }
}
