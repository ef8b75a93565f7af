"""Models of preferences: matrices of known structure, on the host.

Each function returns P as an array, P[a, b] the probability that a is preferred
to b, and says whether P is transitive and whether it has a Condorcet winner;
`order.decide` decides both for any matrix. Dice, raters and the
cycle are those of Munos et al., "Nash learning from human feedback" (2024),
https://arxiv.org/abs/2312.00886, section 3.2 and appendix C.
"""

from collections.abc import Sequence

from jaxtyping import Float
import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from mdrl import inputs

Matrix = Float[np.ndarray, "A A"]

# How far P + P.T may be from one: tables of win rates are rounded.
_ROUNDED = 1e-6
# Binomial draws are of 64 bits.
_MAX_COMPARISONS = 2**63 - 1

NONTRANSITIVE_DICE = ((2, 4, 9), (1, 6, 8), (3, 5, 7))


def dice(faces: Sequence[Sequence[float]] = NONTRANSITIVE_DICE) -> Matrix:
  """Returns the probability that each die rolls higher than each other.

  The default three are not transitive and have no Condorcet winner: each beats
  the next with probability 5/9. Others may be either.

  Raises:
    ValueError: If there are no dice, one has no faces, or these are no finite
      numbers.
  """
  if not np.iterable(faces):
    raise ValueError(f"`faces` must hold dice, got {faces!r}")
  rolls = [inputs.real_array("faces", die) for die in faces]
  sized = all(die.ndim == 1 and die.size for die in rolls)
  if not rolls or not sized or not all(np.isfinite(d).all() for d in rolls):
    raise ValueError(
      f"`faces` must hold the faces of each die, finite numbers, got {faces!r}"
    )
  return np.array([[_chance_above(a, b) for b in rolls] for a in rolls])


def _chance_above(a, b):
  difference = a[:, None] - b[None]
  return float(np.mean((difference > 0) + 0.5 * (difference == 0)))


def cycle(num_responses: int = 3, win: float = 1.0) -> Matrix:
  """Returns rock-paper-scissors of an odd number of responses.

  Each response beats the (n - 1) / 2 that follow it, and the last is followed
  by the first. The winning probability is 1, or less for a soft cycle. There is
  no Condorcet winner, and the order is not transitive, except at probability
  1/2, where all responses tie.

  Raises:
    ValueError: If the number is even or below 3, or `win` is not in [1/2, 1].
  """
  inputs.check_count("num_responses", num_responses)
  if num_responses < 3 or num_responses % 2 == 0:
    raise ValueError(
      f"`num_responses` must be odd and at least 3, got {num_responses}"
    )
  _check_probability("win", win, 0.5)
  place = np.arange(num_responses)
  after = (place[None] - place[:, None]) % num_responses
  beats = (after > 0) & (after <= num_responses // 2)
  return np.where(after == 0, 0.5, np.where(beats, win, 1 - win))


def three_raters(epsilon: float = 0.0) -> Matrix:
  """Returns the mean preference of three kinds of raters.

  A share of 1/3 - epsilon prefers the second response to the first, and shares
  of 1/3 + epsilon/2 the first to the third, and the third to the second; each
  kind is indifferent otherwise. Not transitive and without a Condorcet winner
  for |epsilon| < 1/3. The equilibrium is (1/3 + epsilon/2, 1/3 + epsilon/2,
  1/3 - epsilon).

  Raises:
    ValueError: If epsilon is not in [-1/3, 1/3].
  """
  inputs.check_number("epsilon", epsilon, -np.inf)
  if not abs(epsilon) <= 1 / 3:
    raise ValueError(f"`epsilon` must lie in [-1/3, 1/3], got {epsilon}")
  rare, frequent = 1 / 3 - epsilon, 1 / 3 + epsilon / 2
  matrix = np.full((3, 3), 0.5)
  kinds = ((1, 0, rare), (0, 2, frequent), (2, 1, frequent))
  for winner, loser, share in kinds:
    matrix[winner, loser] += share / 2
    matrix[loser, winner] -= share / 2
  return matrix


def elo(scores: ArrayLike) -> Matrix:
  """Returns Bradley-Terry preferences: `sigmoid(score_a - score_b)`.

  Scores are in logits, not in points of 400 per factor of ten. Transitive; the
  highest score, if it is alone, is the Condorcet winner. (Bradley & Terry,
  1952.)

  Raises:
    ValueError: If the scores are not a vector of finite numbers.
  """
  vector = inputs.real_array("scores", scores)
  if vector.ndim != 1 or not vector.size or not np.isfinite(vector).all():
    raise ValueError(f"`scores` must be finite numbers in a row, got {scores}")
  return special.expit(np.subtract.outer(vector, vector))


def bradley_terry_mixture(
  scores: ArrayLike, shares: ArrayLike | None = None
) -> Matrix:
  """Returns the mean preference of raters, each of them Bradley-Terry.

  Every rater is transitive; the mean may not be, and may lack a Condorcet
  winner (Condorcet, 1785).

  Args:
    scores: One row of scores per rater, in logits.
    shares: Of each kind of rater; by default equal.

  Raises:
    ValueError: If the scores are not finite rows, or the shares no
      distribution over them.
  """
  rows = inputs.real_array("scores", scores)
  if rows.ndim != 2 or 0 in rows.shape or not np.isfinite(rows).all():
    raise ValueError(
      f"`scores` must hold one row of finite numbers per rater, got {scores}"
    )
  weights = np.full(len(rows), 1 / len(rows))
  if shares is not None:
    weights = inputs.real_array("shares", shares)
  fits = weights.shape == rows.shape[:1] and (weights >= 0).all()
  if not fits or abs(weights.sum() - 1) > 1e-9:
    raise ValueError(
      f"`shares` must be {len(rows)} shares that add up to 1, got {shares}"
    )
  return np.tensordot(weights, np.stack([elo(row) for row in rows]), axes=1)


def random_scores(
  num_raters: int, num_responses: int, seed: int = 0
) -> Float[np.ndarray, "R A"]:
  """Returns scores of raters in logits, normal with a deviation of two.

  Raises:
    ValueError: If a number is not positive.
  """
  inputs.check_count("num_responses", num_responses)
  inputs.check_count("num_raters", num_raters)
  shape = (num_raters, num_responses)
  return 2 * _generator(seed).normal(size=shape)


def cyclic_raters(num_responses: int = 3, sharpness: float = np.inf) -> Matrix:
  """Returns a population of transitive raters whose majority is a cycle.

  As many raters as responses, each with the ranking of the one before, shifted
  by one place: for three sharp raters each response beats the next with
  probability 2/3. Not transitive and without a Condorcet winner for three
  responses or more.

  Args:
    num_responses: At least 2.
    sharpness: Logits between neighbours in a ranking; infinite by default.

  Raises:
    ValueError: If there are fewer than two responses, or the sharpness is not
      positive.
  """
  inputs.check_count("num_responses", num_responses, 2)
  inputs.real_array("sharpness", sharpness)
  if not sharpness > 0:
    raise ValueError(f"`sharpness` must be positive, got {sharpness}")
  ranks = np.arange(num_responses)
  # The rater shifted by k ranks response k first; lower ranks score less.
  rows = -np.stack([np.roll(ranks, k) for k in ranks]).astype(float)
  difference = rows[:, :, None] - rows[:, None]
  if np.isinf(sharpness):
    return np.mean((difference > 0) + 0.5 * (difference == 0), axis=0)
  return np.mean(special.expit(sharpness * difference), axis=0)


def skew_low_rank(
  num_responses: int, rank: int = 2, scale: float = 3.0, seed: int = 0
) -> Matrix:
  """Returns `sigmoid(scale * u_a^T J u_b)` for random u and a skew J.

  J is block-diagonal with blocks ((0, 1), (-1, 0)), and u is standard normal
  over sqrt(rank), one vector per response. Almost surely not transitive once
  there are many responses, and a Condorcet winner is then rare; for few, either
  may be.

  Args:
    num_responses: n.
    rank: Even; dimension of u.
    scale: Of the logits.
    seed: Of u.

  Raises:
    ValueError: If a number is not positive, or the rank is odd.
  """
  inputs.check_count("num_responses", num_responses)
  inputs.check_count("rank", rank, 0)
  if rank < 2 or rank % 2:
    raise ValueError(f"`rank` must be even and positive, got {rank}")
  inputs.real_array("scale", scale)
  if not 0 < scale < np.inf:
    raise ValueError(f"`scale` must be positive and finite, got {scale}")
  draw = _generator(seed).normal(size=(num_responses, rank))
  u = draw / np.sqrt(rank)
  skew = np.kron(np.eye(rank // 2), np.array([[0, 1], [-1, 0]]))
  return special.expit(scale * (u @ skew @ u.T))


def uniform(num_responses: int, seed: int = 0) -> Matrix:
  """Returns P drawn from [0, 1], below the diagonal and row by row.

  P may be transitive or not, with or without a Condorcet winner; for many
  responses it is almost surely not transitive, and a Condorcet winner is rare.
  These are the games of the simulations of Zhou, Fazel & Du (2025),
  https://arxiv.org/abs/2503.08942.

  Raises:
    ValueError: If the number is not positive.
  """
  return _from_lower(num_responses, _generator(seed).random)


def tournament(num_responses: int, seed: int = 0) -> Matrix:
  """Returns P drawn from {0, 1}: every tournament is equally likely.

  P may be transitive or not; there is a Condorcet winner with probability
  n / 2^(n-1).

  Raises:
    ValueError: If the number is not positive.
  """
  rng = _generator(seed)
  return _from_lower(
    num_responses, lambda size: rng.integers(2, size=size).astype(float)
  )


def _from_lower(num_responses, draw):
  inputs.check_count("num_responses", num_responses)
  matrix = np.full((num_responses, num_responses), 0.5)
  row, column = np.tril_indices(num_responses, -1)
  below = draw(len(row))
  matrix[row, column] = below
  matrix[column, row] = 1 - below
  return matrix


def noisy(preferences: ArrayLike, flip: float) -> Matrix:
  """Returns the preferences of a rater that errs with a given probability.

  The order of responses, and with it transitivity and the Condorcet winner, is
  that of `preferences`, unless flip is 1/2, where all responses tie.

  Raises:
    ValueError: If `flip` is not in [0, 1/2], or an entry is no probability.
  """
  _check_probability("flip", flip, 0, 0.5)
  matrix = inputs.real_array("preferences", preferences)
  _check_probabilities(matrix)
  return (1 - flip) * matrix + flip * (1 - matrix)


def sampled(
  preferences: ArrayLike,
  num_comparisons: int,
  seed: int | Sequence[int] = 0,
) -> Matrix:
  """Returns the win rates of a number of random comparisons of each pair.

  Transitivity and the Condorcet winner are those of `preferences` only in the
  limit of many comparisons.

  Raises:
    ValueError: If the number is not positive, the matrix is not square, or an
      entry is no probability.
  """
  inputs.check_count("num_comparisons", num_comparisons, 1, _MAX_COMPARISONS)
  matrix = inputs.real_array("preferences", preferences)
  if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
    raise ValueError(
      "`preferences` must be a square matrix, got shape "
      f"{matrix.shape}; sample context by context"
    )
  _check_probabilities(matrix)
  missed = np.argwhere(np.abs(matrix + matrix.T - 1) > _ROUNDED)
  if len(missed):
    a, b = missed[0].tolist()
    raise ValueError(
      "`preferences` must add up to 1 with their transpose, got "
      f"{matrix[a, b]} at row {a}, column {b} and {matrix[b, a]} for the "
      "opposite pair"
    )
  row, column = np.tril_indices(len(matrix), -1)
  wins = _generator(seed).binomial(num_comparisons, matrix[row, column])
  rates = np.full(matrix.shape, 0.5)
  rates[row, column] = wins / num_comparisons
  rates[column, row] = 1 - rates[row, column]
  return rates


def from_payoffs(payoffs: ArrayLike) -> Matrix:
  """Returns the preferences of a symmetric zero-sum game's payoffs.

  P = 1/2 + u / (2 max |u|), so that equilibria are the same. Transitive where
  the game is, such as a game of the higher number.

  Args:
    payoffs: u[a, b], what a wins from b; antisymmetric.

  Raises:
    ValueError: If the payoffs are not finite or not antisymmetric.
  """
  u = inputs.real_array("payoffs", payoffs)
  if u.ndim != 2 or u.shape[0] != u.shape[1] or not u.size:
    raise ValueError(f"`payoffs` must be a square matrix, got shape {u.shape}")
  # Entries that are not finite count as zero here, and are reported apart.
  finite = np.where(np.isfinite(u), u, 0)
  scale = np.abs(finite).max()
  missed = np.abs(finite + finite.T) > 1e-9 * scale
  bad = np.argwhere(missed | ~np.isfinite(u))
  if len(bad):
    a, b = bad[0].tolist()
    raise ValueError(
      "`payoffs` must be finite and antisymmetric, as those of a symmetric "
      f"zero-sum game are, got {u[a, b]} at row {a}, column {b} and "
      f"{u[b, a]} for the opposite pair"
    )
  relative = u / (scale if scale else 1.0)
  return 0.5 + (relative - relative.T) / 4


def _generator(seed):
  inputs.check_seed("seed", seed)
  return np.random.default_rng(seed)


def _check_probability(name, value, low, high=1.0):
  inputs.check_number(name, value, low, high)


def _check_probabilities(matrix):
  # Comparisons with NaN are false, so this finds NaN as well.
  bad = np.argwhere(~((matrix >= 0) & (matrix <= 1)))
  if len(bad):
    at = tuple(bad[0].tolist())
    raise ValueError(
      f"`preferences` must lie in [0, 1], got {matrix[at]} at {list(at)}"
    )
