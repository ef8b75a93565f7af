"""Segments with equal sources, and the buckets that hold them.

Where cards or dice are private, all hands that a player may hold after the same
moves meet the same hands of the opponent: their segments have the same sources,
and differ in weights only. Such twins share what they gather. A class of twins
is a small dense matrix, `length` sources by `twins` segments, and a bucket
holds classes of about one shape.
"""

from typing import NamedTuple

import numpy as np

# What a bucket costs, with a share of its compilation, and then each source,
# each weight and each sum that it holds, in nanoseconds of one CPU.
_BUCKET = 1500.0
_GATHER = 0.5
_WEIGHT = 0.12
_SUM = 0.3
# More shapes than this are rounded to powers of two before the search.
_MAX_SHAPES = 128


class Classes(NamedTuple):
  """Segments that have entries, by class.

  Attributes:
    members: The segments, those of a class together.
    first: For each class, where its members start.
    twins: For each class, the number of its members.
    length: For each class, the number of entries of each member.
  """

  members: np.ndarray
  first: np.ndarray
  twins: np.ndarray
  length: np.ndarray


def find(
    start: np.ndarray, count: np.ndarray, sources: tuple[np.ndarray, ...]
) -> Classes:
  """Finds the segments that have equal sources, in equal order.

  Args:
    start: The first entry of each segment; entries are sorted by segment.
    count: The number of entries of each segment.
    sources: For each factor, the source of every entry.

  Returns:
    The classes, in order of their first members.
  """
  filled = np.flatnonzero(count)
  start, count = start[filled], count[filled]
  leader = _leaders(start, count, sources)
  _, at, twins = np.unique(leader, return_inverse=True, return_counts=True)
  order = np.argsort(at, kind="stable")
  first = np.cumsum(twins) - twins
  return Classes(
      members=filled[order],
      first=first,
      twins=twins,
      length=count[order[first]],
  )


def _leaders(start, count, sources):
  """Returns, for each segment, the first with the same sources."""
  segment = np.repeat(np.arange(len(count)), count)
  offset = np.arange(len(segment)) - start[segment]
  mixed = _mix(offset.astype(np.uint64))
  for source in sources:
    mixed = _mix(mixed ^ source.astype(np.uint64))
  total = np.add.reduceat(mixed, start) if len(start) else mixed
  total = _mix(total ^ count.astype(np.uint64))
  _, first, leader = np.unique(total, return_index=True, return_inverse=True)
  leader = first[leader]
  # Different sources may have equal hashes; they are told apart here.
  twin = np.minimum(start[leader[segment]] + offset, max(len(segment) - 1, 0))
  differs = np.zeros(len(segment), bool)
  for source in sources:
    differs |= source[twin] != source
  other = count[leader] != count
  other[segment[differs]] = True
  return np.where(other, np.arange(len(count)), leader)


def _mix(x):
  """Scrambles 64 bits, as the finaliser of splitmix64 does.

  Steele, Lea & Flood, 2014, https://doi.org/10.1145/2714064.2660195.
  """
  x = (x + np.uint64(0x9E3779B97F4A7C15)).copy()
  x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
  return x ^ (x >> np.uint64(31))


def buckets(length: np.ndarray, twins: np.ndarray) -> np.ndarray:
  """Chooses a bucket for each class.

  Classes of a bucket are padded to the longest and to the most twins. Starting
  from one bucket for every shape, those are merged that save most, until
  nothing saves.

  Args:
    length: The number of sources of each class.
    twins: The number of segments of each class.

  Returns:
    The bucket of each class, numbered from zero.
  """
  shape = np.stack([length, twins])
  if np.unique(shape, axis=1).shape[1] > _MAX_SHAPES:
    shape = 2 ** np.ceil(np.log2(shape)).astype(int)
  shapes, bucket, blocks = np.unique(
      shape, axis=1, return_inverse=True, return_counts=True
  )
  bucket = bucket.reshape(-1)
  longest, most = shapes.astype(float)
  blocks = blocks.astype(float)
  alive = np.arange(len(blocks))
  while len(alive) > 1:
    k, i, b = longest[alive], most[alive], blocks[alive]
    alone = _cost(k, i, b)
    merged = _cost(
        np.maximum(k[:, None], k), np.maximum(i[:, None], i), b[:, None] + b
    )
    saving = alone[:, None] + alone - merged
    np.fill_diagonal(saving, -np.inf)
    one, other = np.unravel_index(int(np.argmax(saving)), saving.shape)
    if saving[one, other] <= 0:
      break
    keep, gone = alive[one], alive[other]
    longest[keep] = max(longest[keep], longest[gone])
    most[keep] = max(most[keep], most[gone])
    blocks[keep] += blocks[gone]
    bucket[bucket == gone] = keep
    alive = np.delete(alive, other)
  return np.unique(bucket, return_inverse=True)[1]


def _cost(length, twins, blocks):
  return _BUCKET + blocks * (
      length * (_GATHER + _WEIGHT * twins) + _SUM * twins
  )
