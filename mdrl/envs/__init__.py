"""Environments: games to play move by move, on the device, many at once."""

from mdrl.envs.base import CHANCE as CHANCE
from mdrl.envs.base import TERMINAL as TERMINAL
from mdrl.envs.base import Environment as Environment
from mdrl.envs.base import View as View
