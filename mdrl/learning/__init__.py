"""Learners of parametric policies, and what they are made of."""

from mdrl.learning.learners.dqn import DQN as DQN
from mdrl.learning.learners.ppo import PPO as PPO
from mdrl.learning.seats import Seat as Seat
