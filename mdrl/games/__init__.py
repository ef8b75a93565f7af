"""Games as arrays: trees, matrices, preferences, and views of trees."""

from mdrl.games import matrix_game as matrix_game
from mdrl.games import preference_game as preference_game
from mdrl.games.base import Game as Game
from mdrl.games.base import random_policies as random_policies
from mdrl.games.base import uniform_policies as uniform_policies
from mdrl.games.behavioral_game import BehavioralGame as BehavioralGame
from mdrl.games.history_tables import HistoryTables as HistoryTables
from mdrl.games.index import Index as Index
from mdrl.games.matrix_game import MatrixGame as MatrixGame
from mdrl.games.matrix_game import zero_sum_game as zero_sum_game
from mdrl.games.preference_game import PreferenceGame as PreferenceGame
from mdrl.games.sampled_game import SampledGame as SampledGame
from mdrl.games.tree_game import TreeGame as TreeGame
