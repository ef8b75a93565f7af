"""Where iterates live: mirror maps and their dilated lifts."""

from mdrl.geometry.mirror_maps import Euclidean as Euclidean
from mdrl.geometry.mirror_maps import MirrorMap as MirrorMap
from mdrl.geometry.mirror_maps import NegativeEntropy as NegativeEntropy
from mdrl.geometry.mirror_maps import Tsallis as Tsallis
