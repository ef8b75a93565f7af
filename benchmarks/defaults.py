"""Whether last iterates converge with default hyper-parameters.

  python -m benchmarks.defaults
  python -m benchmarks.defaults --matrices=0 --games="kuhn_poker;leduc_poker"

Random zero-sum matrices, of 2 to 20 actions a side and of ten kinds, are solved
together from random starts; trees one by one from uniform policies. Shown is
the exploitability after the updates, divided by that of uniform play, or by the
range of payoffs where uniform play is an equilibrium. `docs/steps.md` says why
it should be small.
"""

from collections.abc import Sequence

from absl import flags
import jax
import jax.numpy as jnp
from jaxtyping import Float
import numpy as np
import pyspiel

from benchmarks import game_set
from experiments.registry import game_factory, game_solvers
from experiments.runs import command_line, game_strings, limits, program
from mdrl import run, struct
from mdrl.compile import openspiel
from mdrl.evaluation import gaps, payoff_norm
from mdrl.games import base as game_lib
from mdrl.games import matrix_game

SOLVERS = tuple(
  name
  for name, entry in game_solvers.SOLVERS.items()
  if entry.reports == "last"
)
_SIZE = 20


def _draw(kind: int, rng: np.random.Generator, shape: tuple[int, int]):
  """Returns payoffs of one of ten kinds, half of them skewed."""
  rows, columns = shape
  match kind:
    case 0:
      return rng.uniform(-1, 1, shape)
    case 1:
      return rng.normal(size=shape)
    case 2:
      return rng.exponential(size=shape)
    case 3:
      return rng.lognormal(0, 1.5, shape)
    case 4:
      return rng.lognormal(0, 2, shape) * rng.choice([-1, 1], shape)
    case 5:
      left, right = rng.normal(size=(rows, 2)), rng.normal(size=(2, columns))
      return left @ right + 0.05 * rng.normal(size=shape)
    case 6:
      return rng.normal(size=shape) * (rng.random(shape) < 0.25)
    case 7:
      return 10 + rng.normal(size=shape)
    case 8:
      scale = rng.lognormal(0, 1.5, (rows, 1)) * rng.lognormal(0, 1.5, columns)
      return scale * rng.normal(size=shape)
    case _:
      return rng.integers(-2, 3, shape).astype(float)


def matrices(count: int, seed: int) -> list[Float[np.ndarray, "A B"]]:
  """Returns random payoffs of the first player, none of them constant."""
  rng = np.random.default_rng(seed)
  found = []
  while len(found) < count:
    rows, columns = rng.integers(2, _SIZE + 1, 2).tolist()
    payoff = _draw(len(found) % 10, rng, (rows, columns))
    if np.ptp(payoff) > 0:
      found.append(payoff)
  return found


def _padded(payoff):
  """Returns a game whose arrays have one shape, however many its actions."""
  full = np.zeros((_SIZE, _SIZE))
  full[: payoff.shape[0], : payoff.shape[1]] = payoff
  game = matrix_game.zero_sum_game(full)
  treeplexes = []
  for t, count in zip(game.treeplexes, payoff.shape, strict=True):
    legal = np.arange(_SIZE + 1) <= count
    uniform = np.where(legal, 1 / count, 0)
    uniform[0] = 0
    group = t.groups[0]._replace(padded=True)
    treeplexes.append(
      struct.replace(
        t,
        levels=((group,),),
        legal=jnp.asarray(legal),
        uniform=jnp.asarray(uniform, game.dtype),
      )
    )
  return struct.replace(game, treeplexes=tuple(treeplexes))


def on_matrices(
  solver: str,
  payoffs: Sequence[Float[np.ndarray, "A B"]],
  updates: int,
  seed: int = 0,
) -> Float[np.ndarray, " B"]:
  """Returns the share of exploitability that a solver leaves on matrices."""
  games = list(map(_padded, payoffs))
  norms = jnp.asarray([payoff_norm.payoff_norm(game) for game in games])
  keys = jax.random.split(jax.random.key(seed), len(games))
  values = game_solvers.resolve(solver, {})

  @jax.jit
  @jax.vmap
  def solve(game, norm, key):
    method = game_factory.make(solver, values, norm).solver
    state = method.init(game, game_lib.random_policies(game, key))
    state = jax.lax.fori_loop(
      0, updates, lambda _, s: method.update(game, s), state
    )
    uniform = game.plans(game_lib.uniform_policies(game))
    return (
      gaps.exploitability(game, method.plans(game, state)),
      gaps.exploitability(game, uniform),
    )

  stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *games)
  left, first = map(np.asarray, solve(stacked, norms, keys))
  spread = np.array([np.ptp(payoff) for payoff in payoffs])
  return _share(left, first, spread)


def _share(left, first, spread):
  """Divides by uniform play's, or by the range where that is an equilibrium."""
  return left / np.where(first > 1e-9 * spread, first, spread)


def on_tree(solver: str, game_name: str, updates: int) -> float:
  """Returns the share of exploitability that a solver leaves on a game.

  Raises:
    ValueError: If there is no such game.
  """
  game, _ = openspiel.compile_game(game_name)
  method = game_factory.make(
    solver,
    game_solvers.resolve(solver, {}),
    payoff_norm.payoff_norm(game),
  ).solver
  state = run.advance(method, game, run.init(method, game), updates)
  left = float(gaps.exploitability(game, method.plans(game, state)))
  uniform = game.plans(game_lib.uniform_policies(game))
  first = float(gaps.exploitability(game, uniform))
  loaded = pyspiel.load_game(openspiel.game_string(game_name))
  spread = loaded.max_utility() - loaded.min_utility()
  return float(_share(left, first, spread))


def define(values: flags.FlagValues) -> None:
  """Defines the flags, as those of the program that runs."""
  command_line.define_key_flags(values, _define)


def _define(values):
  flags.DEFINE_integer(
    "matrices",
    200,
    "Random matrices; 0 for none.",
    0,
    10_000,
    flag_values=values,
  )
  flags.DEFINE_integer(
    "seed", 0, "Of the matrices.", 0, limits.SEED, flag_values=values
  )
  flags.DEFINE_integer(
    "updates", 40_000, "Of every solver.", 1, 10_000_000, flag_values=values
  )
  flags.DEFINE_string(
    "games",
    ";".join(
      [
        *game_set.GAMES[:8],
        "goofspiel(imp_info=True,num_cards=4,points_order=random)",
      ]
    ),
    "OpenSpiel game strings, separated by semicolons; empty for none.",
    flag_values=values,
  )
  flags.DEFINE_multi_enum(
    "solver",
    list(SOLVERS),
    list(SOLVERS),
    "Which ones; repeat for several.",
    flag_values=values,
  )


def parse(argv: Sequence[str]) -> list[str]:
  """Defines the flags and parses them."""
  define(flags.FLAGS)
  return program.parse(argv)


def main(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> None:
  """Prints the table."""
  del argv
  command_line.quieten()
  jax.config.update("jax_enable_x64", True)
  with command_line.errors_in_one_line("defaults"):
    _show(values.flag_values_dict())


def _show(given):
  if given["matrices"]:
    payoffs = matrices(given["matrices"], given["seed"])
    for solver in given["solver"]:
      left = on_matrices(solver, payoffs, given["updates"], given["seed"])
      print(
        f"{solver} on {len(payoffs)} random matrices: median "
        f"{np.median(left):.1e}, 9 of 10 below {np.quantile(left, 0.9):.1e},"
        f" largest {left.max():.1e}",
        flush=True,
      )
  for name in game_strings.split(given["games"]) if given["games"] else []:
    for solver in given["solver"]:
      left = on_tree(solver, name, given["updates"])
      print(f"{solver} on {name}: {left:.1e}", flush=True)


if __name__ == "__main__":
  program.run("benchmarks.defaults", __doc__, main, parse)
