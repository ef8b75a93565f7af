"""Environments: games to play move by move, on the device, many at once."""

from mdrl.envs.auto_reset import AutoReset as AutoReset
from mdrl.envs.auto_reset import Transition as Transition
from mdrl.envs.base import CHANCE as CHANCE
from mdrl.envs.base import TERMINAL as TERMINAL
from mdrl.envs.base import Environment as Environment
from mdrl.envs.base import View as View
from mdrl.envs.compilation import compile_environment as compile_environment
from mdrl.envs.compiled import CompiledEnvironment as CompiledEnvironment
from mdrl.envs.compiled import environment as environment
from mdrl.envs.dark_hex import DarkHex as DarkHex
from mdrl.envs.goofspiel import Goofspiel as Goofspiel
from mdrl.envs.hanabi import Hanabi as Hanabi
from mdrl.envs.liars_dice import LiarsDice as LiarsDice
from mdrl.envs.named import load as load
from mdrl.envs.phantom_tic_tac_toe import (
  PhantomTicTacToe as PhantomTicTacToe,
)
