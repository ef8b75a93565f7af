"""Random entries of segment sums, for tests."""

from unittest import mock

import numpy as np

from mdrl.trees import segments

# Sources are below this number.
SIZE = 40


def draw_sharing(seed, num_factors):
  """Returns entries of segments in classes of one to six, scattered."""
  rng = np.random.default_rng(seed)
  segments_, sources, start = [], [], 0
  for length in range(1, 9):
    for members in range(1, 7):
      shared = rng.permutation(SIZE * num_factors)[: length * num_factors]
      shared = shared.reshape(num_factors, length) % SIZE
      segments_.append(np.repeat(np.arange(start, start + members), length))
      sources.append(np.tile(shared, members))
      start += members
  segment = rng.permutation(start + 4)[np.concatenate(segments_)]
  weight = rng.normal(size=len(segment))
  return segment, tuple(np.concatenate(sources, axis=1)), weight, start + 4


# How buckets are summed: all alike, whatever their shapes.
WAYS = {
  "reduce": {"_SMALL": 10**9},
  "dot": {"_SMALL": 0, "_STEP": 10**9, "_LONG": 0},
  "loop": {"_SMALL": 0, "_STEP": 0},
}


def all_by(way):
  return mock.patch.multiple(segments, **WAYS[way])
