"""The solvers that binaries know by name.

`game_solvers` lists those of games and `preference_solvers` those of preference
games. An entry names what makes the solver as `module:function`, so that the
lists are read without JAX; `game_factory` and `preference_factory` make solvers
from them. A solver that takes the usual hyper-parameters needs its entry alone.
"""
