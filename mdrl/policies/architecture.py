"""What a network is made of, apart from its parameters."""

from collections.abc import Mapping
import dataclasses
from typing import Any

from mdrl import checks

TORSOS = ("mlp", "residual", "gru")
ACTIVATIONS = ("relu", "tanh")
HEADS = ("policy", "q")
INITIALIZERS = ("lecun", "orthogonal")


@dataclasses.dataclass(frozen=True)
class Architecture:
  """The shape of a network, which serves all players of an environment.

  Attributes:
    num_players: Of the environment.
    num_actions: Of the environment.
    observation_size: Of the environment.
    torso: Layers one after another (`mlp`), blocks that add to what went in
      (`residual`), or gated recurrent units (`gru`), which remember a player's
      earlier decisions of the game.
    width: Units of each layer.
    depth: Number of layers; of blocks of two layers for `residual`; of
      recurrent layers, behind one that is not, for `gru`.
    activation: Between layers.
    heads: Logits and an expected return (`policy`), or the expected return of
      each action (`q`).
    separate_critic: Whether the expected return has a torso of its own, of the
      same kind.
    initializer: `orthogonal`, with gains of the square root of two and for the
      last layers .01 for logits and 1 for returns; or `lecun`, which is Flax's.
  """

  num_players: int
  num_actions: int
  observation_size: int
  torso: str = "mlp"
  width: int = 64
  depth: int = 2
  activation: str = "tanh"
  heads: str = "policy"
  separate_critic: bool = False
  initializer: str = "orthogonal"

  def __post_init__(self):
    for name in ("num_players", "num_actions", "width", "depth"):
      checks.whole(name, getattr(self, name), 1)
    checks.whole("observation_size", self.observation_size, 0)
    _check_choice("torso", self.torso, TORSOS)
    _check_choice("activation", self.activation, ACTIVATIONS)
    _check_choice("heads", self.heads, HEADS)
    _check_choice("initializer", self.initializer, INITIALIZERS)
    if self.separate_critic and self.heads == "q":
      raise ValueError(
        "`separate_critic` must be False for `heads='q'`, whose returns are "
        "those of the actions, got True"
      )

  def to_json(self) -> dict[str, Any]:
    """Returns the fields, as what JSON holds."""
    return dataclasses.asdict(self)

  @classmethod
  def from_json(cls, fields: Mapping[str, Any]) -> "Architecture":
    """Returns the architecture of the fields that `to_json` returns.

    Raises:
      ValueError: If a field is missing, unknown or of another type.
    """
    types: dict[str, Any] = {f.name: f.type for f in dataclasses.fields(cls)}
    if types.keys() != fields.keys():
      raise ValueError(
        f"`fields` must be {sorted(types)}, got {sorted(fields)}"
      )
    for name, kind in types.items():
      # A bool is an int as well.
      if type(fields[name]) is not kind:
        raise ValueError(
          f"`{name}` must be of type {kind.__name__}, got {fields[name]!r}"
        )
    return cls(**fields)


def _check_choice(name, value, choices):
  if value not in choices:
    raise ValueError(
      f"`{name}` must be one of {', '.join(choices)}, got {value!r}"
    )
