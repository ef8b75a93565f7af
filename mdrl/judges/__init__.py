"""What trains or plays to judge policies: matches and best responses.

Modules that train import networks and optimisers, which takes a while: import
them by name.
"""

from mdrl.judges.best_response import Judgement as Judgement
from mdrl.judges.best_response import judge as judge
from mdrl.judges.board_device import DeviceBoard as DeviceBoard
from mdrl.judges.board_exploitability import exact_board as exact_board
from mdrl.judges.board_exploitability import (
  exact_board_exploitability as exact_board_exploitability,
)
from mdrl.judges.board_native import NativeBoard as NativeBoard
from mdrl.judges.board_sequences import BoardRules as BoardRules
from mdrl.judges.board_values import BoardValues as BoardValues
from mdrl.judges.intervals import Interval as Interval
from mdrl.judges.matches import Match as Match
from mdrl.judges.matches import Results as Results
