"""Segments that share sources, and the buckets that hold them.

Where cards or dice are private, all hands that a player may hold after the same
moves meet about the same hands of the opponent: their segments have nearly
equal sources, and differ in weights. Such segments form a class and share one
gather. A class is a small dense matrix, sources by segments, and a bucket holds
classes of about one shape.
"""

import numpy as np

# Nanoseconds of one CPU that an update takes for a bucket, a share of its
# compilation included, and for each source, weight and sum that it holds.
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

  First those of equal sources, as a hash of all their sources says. Then those
  with the same least source in a random order: sets with much in common are
  likely to have the same least element (Broder, 1997,
  https://doi.org/10.1109/SEQUEN.1997.666900). There are a few rounds, each with
  an order of its own. Classes are merged where that costs less than leaving
  them apart, so that a collision of hashes costs time and changes no sum.

  Args:
    segment: The segment of every entry, counted from zero without gaps.
    source: The source of every entry, a whole number from zero on.

  Returns:
    The class of each segment, numbered in order of their first members.
  """
  class_of_segment = np.arange(segment.max(initial=-1) + 1)
  members = np.ones(len(class_of_segment), int)
  # The distinct pairs of a class and one of its sources, by class.
  pair_class, pair_source = _pairs(segment, source)
  for k in range(1 + _ROUNDS):
    # No two classes share a source.
    if np.bincount(pair_source).max(initial=0) <= 1:
      break
    start = np.flatnonzero(np.diff(pair_class, prepend=-1))
    combine = np.minimum if k else np.add
    key = combine.reduceat(_mix(pair_source, k), start)
    label, pair_class, pair_source = _merged(
      key, pair_class, pair_source, members
    )
    members = np.bincount(label, members).astype(int)
    class_of_segment = label[class_of_segment]

  # Numbered by first members, which keeps segments in order where none share.
  _, first, class_of_segment = np.unique(
    class_of_segment, return_index=True, return_inverse=True
  )
  return np.argsort(np.argsort(first))[class_of_segment]


def _pairs(owner, source):
  """Returns the distinct pairs, by owner."""
  width = int(source.max(initial=0)) + 1
  pairs = distinct(owner.astype(np.int64) * width + source)
  return np.divmod(pairs, width)


def distinct(x: np.ndarray) -> np.ndarray:
  """Returns the values of whole numbers from zero on, in increasing order.

  The same as `np.unique`, which hashes since numpy 2.3, many times more slowly.
  """
  x = np.sort(x)
  return x[np.flatnonzero(np.diff(x, prepend=-1))]


def _merged(key, pair_class, pair_source, members):
  """Merges classes of equal keys, where that costs less.

  Args:
    key: A number for each class.
    pair_class: The class of each pair of a class and one of its sources.
    pair_source: The source of each pair.
    members: The number of segments of each class.

  Returns:
    The new label of each class, and the pairs of the new classes.
  """
  # What each group of equal keys costs as one class, and as those it has.
  _, group = np.unique(key, return_inverse=True)
  group_pairs = _pairs(group[pair_class], pair_source)
  group_members = np.bincount(group, members)
  cost_apart = _cost(np.bincount(pair_class), members, 1)
  cost_merged = _cost(np.bincount(group_pairs[0]), group_members, 1)
  merges = cost_merged <= np.bincount(group, cost_apart)
  if merges.all():
    return group, *group_pairs

  # The others keep a label of their own, beyond those of the groups.
  label = np.where(merges[group], group, len(merges) + np.arange(len(group)))
  label = np.unique(label, return_inverse=True)[1]
  return label, *_pairs(label[pair_class], pair_source)


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

  Classes of a bucket are padded to the longest and to the most members. The
  search starts from one bucket for every shape and merges greedily.

  Args:
    length: The number of sources of each class.
    members: The number of segments of each class.

  Returns:
    The bucket of each class, numbered from zero.
  """
  # One bucket for every shape; rounded up where those are too many to search.
  shape = np.stack([length, members])
  if np.unique(shape, axis=1).shape[1] > _MAX_SHAPES:
    shape = 2 ** np.ceil(np.log2(shape)).astype(int)
  shapes, bucket, blocks = np.unique(
    shape, axis=1, return_inverse=True, return_counts=True
  )
  bucket = bucket.reshape(-1)
  max_length, max_members = shapes.astype(float)
  blocks = blocks.astype(float)

  # Merge the two buckets that save most, until no two save anything.
  alive = np.arange(len(blocks))
  while len(alive) > 1:
    k, i, b = max_length[alive], max_members[alive], blocks[alive]
    cost = _BUCKET + _cost(k, i, b)
    cost_merged = _BUCKET + _cost(
      np.maximum(k[:, None], k), np.maximum(i[:, None], i), b[:, None] + b
    )
    saving = cost[:, None] + cost - cost_merged
    np.fill_diagonal(saving, -np.inf)
    first, second = np.unravel_index(int(np.argmax(saving)), saving.shape)
    if saving[first, second] <= 0:
      break
    kept, merged = alive[first], alive[second]
    max_length[kept] = max(max_length[kept], max_length[merged])
    max_members[kept] = max(max_members[kept], max_members[merged])
    blocks[kept] += blocks[merged]
    bucket[bucket == merged] = kept
    alive = np.delete(alive, second)
  # Numbered without the gaps that merged buckets leave.
  return np.unique(bucket, return_inverse=True)[1]


def _cost(length, members, blocks):
  """Returns what classes cost in an update, in nanoseconds, padding included.

  Args:
    length: Sources of each.
    members: Segments of each.
    blocks: Number of classes.
  """
  return blocks * (length * (_GATHER + _WEIGHT * members) + _SUM * members)
