// Exact exploitability of phantom games on boards of up to nine cells.
//
// A history is an order of stones, and for each player the tries at stones of
// the other, which fail. Given who placed which stone, and where a failed try
// ends the turn, which turns failed, what one player has tried does not
// restrict what the other has. So histories are not walked one by one: the walk
// below goes over orders of stones, and carries for each player the list of its
// own sequences that agree with the stones. Where the player to move can win,
// each of its sequences gains the sum of the other's reaches, and each of the
// other's loses the sum of what reaches those wins.

#include "board_native.h"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <new>
#include <vector>

namespace {

// Turns after which the walk is split into tasks for threads.
constexpr int kTaskTurns = 4;

// An own sequence of a player that agrees with the stones of a walk.
struct Entry {
  uint32_t number;  // Among the sequences of as many tries.
  uint32_t tried;
  int64_t slot;  // Of the last try; -1 before the first.
  int64_t row;   // Of the infostate, where the player is to move.
  double reach;
};

// A part of a stack of entries.
struct List {
  size_t begin, end;
  size_t size() const { return end - begin; }
};

struct Task {
  Position position;
  std::vector<Entry> lists[2];
};

// What a walk evaluates; without policies, it finds the infostates.
template <class Real>
struct Play {
  const Real* policy[2];
  double* gains[2];  // By slot, of each player's own utility.
  bool shared;       // Among threads.
  double value;      // Of player 0.
  double root_gains[2];
};

template <class Real>
class Walk {
 public:
  Walk(Game& game, const Play<Real>& play)
      : game_(game), play_(play), explore_(!play.policy[0]) {}

  // Makes tasks of the positions after so many turns, and does not walk on.
  void put_off(int turns, std::vector<Task>* tasks) {
    left_ = turns;
    tasks_ = tasks;
  }

  void run(const Task& task) {
    List lists[2];
    for (int i = 0; i < 2; i++) {
      lists[i].begin = entries_.size();
      entries_.insert(entries_.end(), task.lists[i].begin(),
                      task.lists[i].end());
      lists[i].end = entries_.size();
    }
    turn(task.position, lists);
    entries_.clear();
  }

  // Adds what was found to the totals.
  void finish(Play<Real>& play) const {
#pragma omp critical
    {
      play.value += value_;
      game_.histories += histories_;
      for (int i = 0; i < 2; i++) play.root_gains[i] += root_gains_[i];
    }
  }

 private:
  void turn(const Position& now, const List lists[2]) {
    if (!explore_ && !worth(now, lists)) return;
    if (tasks_ && left_ == 0) {
      tasks_->push_back({now, {copy(lists[0]), copy(lists[1])}});
      return;
    }
    left_--;
    const List here = arrive(now, lists[now.mover]);
    if (explore_) {
      count(now, here, lists[1 - now.mover]);
    } else {
      settle(now, here, lists[1 - now.mover]);
    }
    place(now, lists, here);
    if (game_.abrupt) fail(now, lists, here);
    entries_.resize(here.begin);
    left_++;
  }

  // Whether a win may come, and somebody plays to here.
  bool worth(const Position& now, const List lists[2]) const {
    return game_.hope[Key(now.stones[0], now.stones[1], now.mover)] &&
           (sum(lists[0]) != 0 || sum(lists[1]) != 0);
  }

  double sum(const List& list) const {
    double total = 0;
    for (size_t i = list.begin; i < list.end; i++) total += entries_[i].reach;
    return total;
  }

  std::vector<Entry> copy(const List& list) const {
    return {entries_.begin() + list.begin, entries_.begin() + list.end};
  }

  // Lists the infostates of the player to move, with failed tries of this turn.
  List arrive(const Position& now, const List& list) {
    List here{entries_.size(), entries_.size()};
    for (size_t i = list.begin; i < list.end; i++) {
      add_infostate(now.mover, Entry(entries_[i]));
    }
    here.end = entries_.size();
    if (game_.abrupt) return here;
    for (size_t i = here.begin; i < here.end; i++) {
      const uint32_t theirs = now.stones[1 - now.mover];
      for (uint32_t left = theirs & ~entries_[i].tried; left;
           left &= left - 1) {
        add_infostate(now.mover, child(now.mover, i, First(left), 0));
      }
      here.end = entries_.size();
    }
    return here;
  }

  void add_infostate(int mover, Entry entry) {
    Infostates& own = game_.infostates[mover];
    const int tries = own.tries(entry.tried);
    if (explore_) {
      own.mark(entry.number, tries);
    } else {
      entry.row = own.row(entry.number, tries);
    }
    entries_.push_back(entry);
  }

  Entry child(int mover, size_t i, int cell, uint32_t success) const {
    const Entry& entry = entries_[i];
    const Infostates& own = game_.infostates[mover];
    const int tries = own.tries(entry.tried);
    const uint32_t left = game_.full & ~entry.tried;
    const uint32_t rank = (entry.number >> tries) * (own.num_free - tries) +
                          Count(left & (Bit(cell) - 1));
    const uint32_t bits = entry.number & (Bit(tries) - 1);
    Entry next;
    next.number = rank << (tries + 1) | bits << 1 | success;
    next.tried = entry.tried | Bit(cell);
    next.slot = entry.row * game_.num_cells + cell;
    next.row = 0;
    next.reach = explore_ ? 0 : entry.reach * play_.policy[mover][next.slot];
    return next;
  }

  // Walks on behind each stone that does not end the game.
  void place(const Position& now, const List lists[2], const List& here) {
    const uint32_t taken = now.stones[0] | now.stones[1];
    for (uint32_t free = game_.full & ~taken; free; free &= free - 1) {
      const int cell = First(free);
      Position next = now;
      next.stones[now.mover] |= Bit(cell);
      next.mover = 1 - now.mover;
      if (game_.won(next, now.mover) || (taken | Bit(cell)) == game_.full) {
        continue;
      }
      List placed{entries_.size(), 0};
      for (size_t i = here.begin; i < here.end; i++) {
        entries_.push_back(child(now.mover, i, cell, 1));
      }
      placed.end = entries_.size();
      follow(next, lists, placed);
    }
  }

  // Walks on behind failed tries, where they end the turn.
  void fail(const Position& now, const List lists[2], const List& here) {
    List failed{entries_.size(), 0};
    for (size_t i = here.begin; i < here.end; i++) {
      const uint32_t theirs = now.stones[1 - now.mover];
      for (uint32_t left = theirs & ~entries_[i].tried; left;
           left &= left - 1) {
        entries_.push_back(child(now.mover, i, First(left), 0));
      }
    }
    failed.end = entries_.size();
    Position next = now;
    next.mover = 1 - now.mover;
    if (failed.size()) follow(next, lists, failed);
  }

  void follow(const Position& next, const List lists[2], const List& moved) {
    List after[2] = {lists[0], lists[1]};
    after[1 - next.mover] = moved;
    turn(next, after);
    entries_.resize(moved.begin);
  }

  // Gives the gains of wins with the next stone.
  void settle(const Position& now, const List& here, const List& theirs) {
    uint32_t wins = 0;
    for (uint32_t free = game_.full & ~(now.stones[0] | now.stones[1]); free;
         free &= free - 1) {
      const uint32_t stone = free & -free;
      if (game_.wins[now.mover][now.stones[now.mover] | stone]) wins |= stone;
    }
    if (!wins) return;
    const double others = sum(theirs);
    double reach = 0;
    for (size_t i = here.begin; i < here.end; i++) {
      const Entry& entry = entries_[i];
      for (uint32_t left = wins; left; left &= left - 1) {
        const int64_t slot = entry.row * game_.num_cells + First(left);
        if (others != 0) add(now.mover, slot, others);
        reach += entry.reach * play_.policy[now.mover][slot];
      }
    }
    value_ += (now.mover ? -reach : reach) * others;
    if (reach == 0) return;
    for (size_t i = theirs.begin; i < theirs.end; i++) {
      add(1 - now.mover, entries_[i].slot, -reach);
    }
  }

  void add(int player, int64_t slot, double gain) {
    if (slot < 0) {
      root_gains_[player] += gain;
    } else if (play_.shared) {
#pragma omp atomic
      play_.gains[player][slot] += gain;
    } else {
      play_.gains[player][slot] += gain;
    }
  }

  // Counts decisions, and the ends of the game behind them.
  void count(const Position& now, const List& here, const List& theirs) {
    const uint32_t taken = now.stones[0] | now.stones[1];
    int nodes = 1;
    for (uint32_t free = game_.full & ~taken; free; free &= free - 1) {
      const uint32_t stone = free & -free;
      nodes += game_.wins[now.mover][now.stones[now.mover] | stone] ||
               (taken | stone) == game_.full;
    }
    histories_ += static_cast<double>(here.size()) * theirs.size() * nodes;
  }

  Game& game_;
  const Play<Real>& play_;
  const bool explore_;
  std::vector<Entry> entries_;
  int left_ = 0;
  std::vector<Task>* tasks_ = nullptr;
  double value_ = 0, histories_ = 0, root_gains_[2] = {0, 0};
};

template <class Real>
void WalkAll(Game& game, Play<Real>& play, int num_threads) {
  Task whole{game.root, {}};
  for (int i = 0; i < 2; i++) {
    whole.lists[i] = {{0, game.infostates[i].root_tried, -1, 0, 1}};
  }
  std::vector<Task> tasks;
  Walk<Real> top(game, play);
  top.put_off(kTaskTurns, &tasks);
  top.run(whole);
  top.finish(play);
  const int64_t num_tasks = static_cast<int64_t>(tasks.size());
  // No exception may leave the threads.
  std::atomic<bool> failed{false};
#pragma omp parallel num_threads(num_threads)
  {
    Walk<Real> walk(game, play);
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < num_tasks; i++) {
      try {
        if (!failed) walk.run(tasks[i]);
      } catch (const std::bad_alloc&) {
        failed = true;
      }
    }
    walk.finish(play);
  }
  if (failed) throw std::bad_alloc();
}

// Backs the gains of a player up to the root, by its best response.
double Best(const Game& game, const Infostates& own, double* gains,
            double root_gain) {
  for (int64_t row = own.size(); row-- > 0;) {
    double best = -std::numeric_limits<double>::infinity();
    for (uint32_t left = game.full & ~own.tried[row]; left; left &= left - 1) {
      best = std::max(best, gains[row * game.num_cells + First(left)]);
    }
    (own.parent[row] < 0 ? root_gain : gains[own.parent[row]]) += best;
  }
  return root_gain;
}

// Returns whether memory was enough.
template <class Real>
int Evaluate(Game* game, const Real* policy0, const Real* policy1,
             double* gains0, double* gains1, int num_threads, double* values) {
  try {
    Play<Real> play{{policy0, policy1}, {gains0, gains1}, num_threads > 1, 0,
                    {0, 0}};
    WalkAll(*game, play, num_threads);
    values[0] = play.value;
    for (int i = 0; i < 2; i++) {
      values[1 + i] = Best(*game, game->infostates[i], play.gains[i],
                           play.root_gains[i]);
    }
    return 1;
  } catch (const std::bad_alloc&) {
    return 0;
  }
}

}  // namespace

extern "C" {

// Returns a game with its infostates, or null where memory is not enough.
Game* board_open(int num_cells, int abrupt, int mover, const uint32_t* stones,
                 const uint8_t* wins, int num_threads) {
  try {
    auto game = std::make_unique<Game>();
    game->num_cells = num_cells;
    game->abrupt = abrupt != 0;
    game->full = Bit(num_cells) - 1;
    game->root = {{stones[0], stones[1]}, mover};
    for (int i = 0; i < 2; i++) {
      const uint8_t* first = wins + (size_t{game->full} + 1) * i;
      game->wins[i].assign(first, first + game->full + 1);
      game->infostates[i].root_tried = stones[0] | stones[1];
      SizeUp(*game, game->infostates[i]);
    }
    FindHope(*game);
    Play<double> nothing{};
    WalkAll(*game, nothing, num_threads);
    for (Infostates& own : game->infostates) NumberRows(*game, own);
    return game.release();
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

void board_close(Game* game) { delete game; }

int64_t board_size(const Game* game, int player) {
  return game->infostates[player].size();
}

double board_histories(const Game* game) { return game->histories; }

void board_words(const Game* game, int player, uint64_t* words) {
  const auto& bits = game->infostates[player].bits;
  std::copy(bits.begin(), bits.end(), words);
}

int board_evaluate_double(Game* game, const double* policy0,
                          const double* policy1, double* gains0,
                          double* gains1, int num_threads, double* values) {
  return Evaluate(game, policy0, policy1, gains0, gains1, num_threads, values);
}

int board_evaluate_float(Game* game, const float* policy0,
                         const float* policy1, double* gains0, double* gains1,
                         int num_threads, double* values) {
  return Evaluate(game, policy0, policy1, gains0, gains1, num_threads, values);
}

}  // extern "C"
