"""Settings of the suite: double precision, strict types, a shared cache."""

import gc
import os
import pathlib
import signal
import tempfile

import jax
import pytest

# Programs of tests run for less time than they take to compile, so that all are
# compiled in the quick tier of `mdrl.tiers`, where XLA has one; flags that it
# does not know end the process. Other versions of JAX test the fast tier.
if jax.__version_info__[:2] == (0, 10):
  os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_cpu_use_fusion_emitters=false --xla_backend_optimization_level=1 "
    "--xla_cpu_parallel_codegen_split_count=4",
  )

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_num_cpu_devices", 4)

# A shell ignores Ctrl-C for what it runs in the background, and so would the
# programs that tests start and stop.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
  signal.signal(signal.SIGINT, signal.default_int_handler)

# Compiled programs outlive a run, and binaries under test share them.
_FOLDER = pathlib.Path(tempfile.gettempdir()) / f"mdrl-jax-{jax.__version__}"
_CACHE = os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_FOLDER))
jax.config.update("jax_compilation_cache_dir", _CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)

# Compiled programs map memory, and Linux lets a process have 65,530 maps;
# without any left, the next program to load is a segmentation fault.
_MAPS = pathlib.Path("/proc/self/maps")
_MANY = 30_000


@pytest.fixture(autouse=True, scope="module")
def _forget_programs_when_many():
  yield
  if _MAPS.exists() and _MAPS.read_text().count("\n") > _MANY:
    jax.clear_caches()
    gc.collect()
