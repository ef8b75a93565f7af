"""Segments that share sources, and the buckets that hold them.

Where cards or dice are private, all hands that a player may hold after the same
moves meet about the same hands of the opponent: their segments have nearly the
same sources, and differ in weights. Such segments form a class and share one
gather. A class is a small dense matrix, sources by segments, and a bucket holds
classes of about one shape.
"""

import numpy as np

# What a bucket costs, with a share of its compilation, and then each source,
# each weight and each sum that it holds, in nanoseconds of one CPU.
_BUCKET = 700.0
_GATHER = 0.5
_WEIGHT = 0.12
_SUM = 0.3
# Rounds of search for segments whose sources differ a little.
_ROUNDS = 3
# More shapes than this are rounded to powers of two before the search.
_MAX_SHAPES = 128


def find(segment: np.ndarray, source: np.ndarray) -> np.ndarray:
  """Puts segments that share sources into classes.

  First those of equal sources, as a hash says. Then those with the same least
  source in a random order, which sets that have much in common are likely to
  have (Broder, 1997, https://doi.org/10.1109/SEQUEN.1997.666900), in several
  such orders. A class is made where it costs less than its parts; what it costs
  is all that depends on hashes.

  Args:
    segment: The segment of every entry, counted from zero without gaps.
    source: The source of every entry, a whole number from zero on.

  Returns:
    The class of each segment, numbered in order of their first members.
  """
  classes = np.arange(segment.max(initial=-1) + 1)
  members = np.ones(len(classes), int)
  owner, held = _pairs(segment, source)
  for k in range(1 + _ROUNDS):
    if np.bincount(held).max(initial=0) <= 1:
      break
    start = np.flatnonzero(np.diff(owner, prepend=-1))
    combine = np.minimum if k else np.add
    key = combine.reduceat(_mix(held, k), start)
    label, owner, held = _joined(key, owner, held, members)
    members = np.bincount(label, members).astype(int)
    classes = label[classes]
  _, first, classes = np.unique(classes, return_index=True, return_inverse=True)
  return np.argsort(np.argsort(first))[classes]


def _pairs(owner, source):
  """Returns the distinct pairs, by owner."""
  width = int(source.max(initial=0)) + 1
  pairs = distinct(owner.astype(np.int64) * width + source)
  return np.divmod(pairs, width)


def distinct(x: np.ndarray) -> np.ndarray:
  """Returns the values of whole numbers from zero on, in increasing order.

  As `np.unique` does, which since numpy 2.3 hashes, many times more slowly.
  """
  x = np.sort(x)
  return x[np.flatnonzero(np.diff(x, prepend=-1))]


def _joined(key, owner, held, members):
  """Returns the new label of each class, and the pairs of the new classes."""
  _, group = np.unique(key, return_inverse=True)
  pairs = _pairs(group[owner], held)
  together = np.bincount(group, members)
  alone = _cost(np.bincount(owner), members, 1)
  cost = _cost(np.bincount(pairs[0]), together, 1)
  pays = cost <= np.bincount(group, alone)
  if pays.all():
    return group, *pairs
  label = np.where(pays[group], group, len(pays) + np.arange(len(group)))
  label = np.unique(label, return_inverse=True)[1]
  return label, *_pairs(label[owner], held)


def _mix(x, seed):
  """Scrambles to 64 bits, as the finaliser of splitmix64 does.

  Steele, Lea & Flood, 2014, https://doi.org/10.1145/2714064.2660195.
  """
  x = x.astype(np.uint64) ^ np.uint64(seed * 0x632BE59BD9B4E019 % 2**64)
  x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
  x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
  return x ^ (x >> np.uint64(31))


def buckets(length: np.ndarray, members: np.ndarray) -> np.ndarray:
  """Chooses a bucket for each class.

  Classes of a bucket are padded to the longest and to the most members.
  Starting from one bucket for every shape, those are merged that save most,
  until nothing saves.

  Args:
    length: The number of sources of each class.
    members: The number of segments of each class.

  Returns:
    The bucket of each class, numbered from zero.
  """
  shape = np.stack([length, members])
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
    alone = _BUCKET + _cost(k, i, b)
    merged = _BUCKET + _cost(
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


def _cost(length, members, blocks):
  return blocks * (length * (_GATHER + _WEIGHT * members) + _SUM * members)
