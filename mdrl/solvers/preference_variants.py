"""Methods of preference learning that share another solver's update.

The papers differ in the loss that a network is trained with. Where the policy
is a table and the loss is minimised exactly, several of them make one update;
each function here returns the solver that makes it, with the conversion of the
paper's parameters. All step sizes are in units of 1 / utility, and temperatures
in units of utility.
"""

from jaxtyping import Array, Float, Int

from mdrl import checks
from mdrl.solvers import (
  averaged,
  magnetic_refreshed,
  mirror_descent,
  nash_md,
  schedules,
)

_Number = float | Float[Array, "..."]


def sppo(step_size: schedules.Schedule) -> mirror_descent.MirrorDescent:
  """Self-play preference optimisation with squared losses (SPPO).

  Wu et al., "Self-play preference optimization for language model alignment"
  (2025), https://arxiv.org/abs/2405.00675. Not to be confused with `spo`, whose
  paper has almost the same name. The minimiser of the paper's loss over exact
  win rates, where the loss is zero, is

    x_a <- x_a exp(step_size * P(a preferred to the policy)) / constant,

  which is mirror descent with negative entropy: multiplicative weights. The
  paper puts step_size / 2 in place of the logarithm of the constant, which
  changes a network's loss but not a normalised table. With short or falling
  steps, the average of the policies approaches the minimax winner; the last
  iterate, which is the paper's result, moves away from it on cyclic
  preferences. The reference is only the start.

  Args:
    step_size: eta > 0; the paper's models are trained with 1000.
  """
  return mirror_descent.MirrorDescent(step_size=step_size)


def dno(step_size: schedules.Schedule) -> mirror_descent.MirrorDescent:
  """Direct Nash optimisation (DNO).

  Rosset et al., "Direct Nash optimization: teaching language models to
  self-improve with general preferences" (2024),
  https://arxiv.org/abs/2404.03715. With r the win rates against the iterate,
  the next policy x minimises the mean over pairs of the cross-entropy of

    sigmoid(r_a - r_b)  and  sigmoid((ratio_a - ratio_b) / step_size),

  where ratio = log x - log iterate. The paper's equation was not available for
  comparison. What is derived is the minimiser: every pair is fitted exactly by
  ratio = step_size * r + constant, so that it does not depend on how pairs are
  sampled, as long as they connect all responses, nor on the loss, as long as
  that is least at equal probabilities. The update is that of `sppo`.

  Args:
    step_size: 1 / eta of the paper.
  """
  return mirror_descent.MirrorDescent(step_size=step_size)


def moving_ipo(temperature: _Number) -> mirror_descent.MirrorDescent:
  """Identity preference optimisation (IPO) around the latest policy.

  Calandriello et al., "Human alignment of large language models through online
  preference optimisation" (2024), https://arxiv.org/abs/2403.08635, with the
  iterate in place of the reference. The minimiser of the loss is

    log x = log iterate + gain / temperature  up to a constant:

  the update of `sppo` with a step of 1 / temperature.
  """
  checks.positive("temperature", temperature)
  return mirror_descent.MirrorDescent(step_size=1 / temperature)


def spo(step_size: schedules.Schedule) -> averaged.Averaged:
  """Self-play preference optimisation to the minimax winner (SPO).

  Swamy, Dann, Kidambi, Wu & Agarwal, "A minimaximalist approach to
  reinforcement learning from human feedback" (2024),
  https://arxiv.org/abs/2401.04056, with Hedge as the learner; `spo_queue` is
  the practical form. The result is the average of mirror descent against
  itself. By symmetry, the average of T updates has a duality gap of at most
  twice the mean regret: with n responses and a constant step,

    gap <= 2 * (log(n) / (step_size T) + step_size / 8),

  for uniform first policies. The last policy may move away. Any other learner
  with small regret, in `averaged.Averaged`, has a bound of that form.
  """
  return averaged.Averaged(
    solver=mirror_descent.MirrorDescent(step_size=step_size)
  )


def inpo(
  step_size: schedules.Schedule, temperature: schedules.Schedule
) -> nash_md.NashMD:
  """Iterative Nash policy optimisation (INPO).

  Zhang et al., "Iterative Nash policy optimization: aligning LLMs with general
  preferences via no-regret learning" (2025), https://arxiv.org/abs/2407.00617.
  The exact minimiser of the loss over pairs is, up to a constant,

    log x <- (1 - step_size * temperature) log x
             + step_size * temperature * log ref + step_size * gain,

  which is Nash-MD without mixing: the opponent is the policy itself. Of hard
  rock-paper-scissors with a uniform reference, the iterates approach the
  equilibrium of `temperature` for steps below
  2 temperature / (temperature^2 + 1/12), and cycle for longer ones.

  Args:
    step_size: 1 / eta of the paper, at most 1 / temperature.
    temperature: tau >= 0.
  """
  return nash_md.NashMD(
    step_size=step_size, temperature=temperature, mixture=0.0
  )


def inpo_published(temperature: _Number) -> nash_md.NashMD:
  """INPO with the step of the paper's language models.

  Their eta is 3 temperatures, and a step size of 1 / (3 temperature). In tables
  that is too long for strongly cyclic preferences, where the iterates cycle and
  stay far from the equilibrium of `temperature`.
  """
  checks.positive("temperature", temperature)
  return inpo(1 / (3 * temperature), temperature)


def mtpo(temperature: _Number) -> nash_md.NashMD:
  """Online mirror descent, or multi-turn preference optimisation (MTPO).

  Shani et al., "Multi-turn reinforcement learning from preference human
  feedback" (2024), https://arxiv.org/abs/2405.14655, of a single turn;
  equations 7 and 8 of the paper of Nash-MD. The update is that of `inpo`; the
  steps are those of theorem 1 of Nash-MD.
  """
  return inpo(nash_md.paper_schedule(temperature), temperature)


def nash_md_published(temperature: _Number) -> nash_md.NashMD:
  """Nash-MD with the steps and the mixture of its theorem 1."""
  return nash_md.NashMD(
    step_size=nash_md.paper_schedule(temperature), temperature=temperature
  )


def magnetic_preference(
  step_size: schedules.Schedule,
  temperature: schedules.Schedule,
  period: int | Int[Array, "..."],
) -> magnetic_refreshed.RefreshedMagnet:
  """Magnetic preference optimisation.

  Wang et al., "Magnetic preference optimization: achieving last-iterate
  convergence for language model alignment" (2025),
  https://arxiv.org/abs/2410.16714, with exact gains. `solve_game` has the same
  solver under the name of `magnetic_refreshed`. COMAL differs: it replaces the
  reference when an inner run has converged, not after a fixed period.
  """
  return magnetic_refreshed.RefreshedMagnet(
    step_size=step_size, temperature=temperature, period=period
  )
