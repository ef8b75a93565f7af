// Phantom games on boards of up to nine cells, and how infostates are numbered.
//
// An own sequence of k tries is numbered by its cells, in the order of
// permutations, and one bit per try: rank * 2^k + bits. Infostates are the
// sequences after which a player may move, in the order of k and of these
// numbers, so that parents come first; a bitmap with counts finds their rows.
// A slot is a row times the number of cells, plus a cell.

#ifndef MDRL_JUDGES_BOARD_NATIVE_H_
#define MDRL_JUDGES_BOARD_NATIVE_H_

#include <cstddef>
#include <cstdint>
#include <vector>

constexpr int kMaxCells = 9;

inline int Count(uint32_t cells) { return __builtin_popcount(cells); }
inline int First(uint32_t cells) { return __builtin_ctz(cells); }
inline uint32_t Bit(int cell) { return uint32_t{1} << cell; }

struct Position {
  uint32_t stones[2];
  int mover;
};

struct Infostates {
  uint32_t root_tried;
  int num_free;                  // How many cells may be tried.
  std::vector<size_t> offset;    // First bit of each number of tries.
  std::vector<uint64_t> bits;    // Which own sequences are infostates.
  std::vector<uint32_t> before;  // Number of infostates before each word.
  std::vector<int32_t> parent;   // The slot that leads here; -1 at the root.
  std::vector<uint16_t> tried;

  int tries(uint32_t tried_here) const {
    return Count(tried_here & ~root_tried);
  }

  void mark(uint32_t number, int tries) {
    const size_t bit = offset[tries] + number;
    const uint64_t mask = uint64_t{1} << (bit & 63);
    uint64_t word;
#pragma omp atomic read
    word = bits[bit >> 6];
    if (word & mask) return;
#pragma omp atomic
    bits[bit >> 6] |= mask;
  }

  int64_t row(uint32_t number, int tries) const {
    const size_t bit = offset[tries] + number;
    const uint64_t below = (uint64_t{1} << (bit & 63)) - 1;
    return before[bit >> 6] + __builtin_popcountll(bits[bit >> 6] & below);
  }

  int64_t size() const { return static_cast<int64_t>(parent.size()); }
};

struct Game {
  int num_cells;
  bool abrupt;
  uint32_t full;
  Position root;
  std::vector<uint8_t> wins[2];
  std::vector<uint8_t> hope;  // Whether a win may come, by stones and mover.
  Infostates infostates[2];
  double histories = 0;

  bool won(const Position& now, int player) const {
    return wins[player][now.stones[player]] != 0;
  }
};

inline size_t Key(uint32_t first, uint32_t second, int mover) {
  return (size_t{first} << kMaxCells | second) * 2 + mover;
}

// Fills in whether a win can still come. Where a failed try ends the turn,
// either player may move next.
inline void FindHope(Game& game) {
  game.hope.assign(Key(game.full, game.full, 1) + 1, 0);
  for (int placed = game.num_cells - 1; placed >= 0; placed--) {
    for (uint32_t a = 0; a <= game.full; a++) {
      for (uint32_t b = 0; b <= game.full; b++) {
        if ((a & b) || Count(a | b) != placed) continue;
        bool found[2] = {false, false};
        for (uint32_t free = game.full & ~(a | b); free; free &= free - 1) {
          const uint32_t stone = free & -free;
          const uint32_t x = a | stone, y = b | stone;
          found[0] |= game.wins[0][x] || game.hope[Key(x, b, 1)];
          found[1] |= game.wins[1][y] || game.hope[Key(a, y, 0)];
        }
        for (int m = 0; m < 2; m++) {
          game.hope[Key(a, b, m)] = found[m] || (game.abrupt && found[1 - m]);
        }
      }
    }
  }
}

inline void SizeUp(Game& game, Infostates& own) {
  own.num_free = Count(game.full & ~own.root_tried);
  size_t size = 0, permutations = 1;
  for (int k = 0; k < own.num_free; k++) {
    own.offset.push_back(size);
    size += permutations << k;
    permutations *= own.num_free - k;
  }
  own.offset.push_back(size);
  own.bits.assign(size / 64 + 1, 0);
}

// Finds what is known of an infostate from its number.
inline void Describe(const Game& game, Infostates& own, int tries,
                     uint32_t number) {
  uint32_t rank = number >> tries, place[kMaxCells];
  for (int j = tries; j-- > 0;) {
    place[j] = rank % (own.num_free - j);
    rank /= own.num_free - j;
  }
  uint32_t tried = own.root_tried;
  int last = 0;
  for (int j = 0; j < tries; j++) {
    uint32_t left = game.full & ~tried;
    while (place[j]--) left &= left - 1;
    last = First(left);
    tried |= Bit(last);
  }
  int64_t parent = -1;
  if (tries) {
    rank = (number >> tries) / (own.num_free - tries + 1);
    const uint32_t bits = number & (Bit(tries) - 1);
    parent = own.row(rank << (tries - 1) | bits >> 1, tries - 1);
    parent = parent * game.num_cells + last;
  }
  own.parent.push_back(static_cast<int32_t>(parent));
  own.tried.push_back(static_cast<uint16_t>(tried));
}

inline void NumberRows(const Game& game, Infostates& own) {
  uint32_t total = 0;
  for (const uint64_t word : own.bits) {
    own.before.push_back(total);
    total += __builtin_popcountll(word);
  }
  own.parent.reserve(total);
  own.tried.reserve(total);
  for (int k = 0; k < own.num_free; k++) {
    for (size_t bit = own.offset[k]; bit < own.offset[k + 1]; bit++) {
      if (own.bits[bit >> 6] >> (bit & 63) & 1) {
        Describe(game, own, k, static_cast<uint32_t>(bit - own.offset[k]));
      }
    }
  }
}

#endif  // MDRL_JUDGES_BOARD_NATIVE_H_
