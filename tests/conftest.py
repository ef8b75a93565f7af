"""Settings of the suite: double precision, strict types, a shared cache."""

import os
import pathlib
import tempfile

import jax

jax.config.update("jax_enable_x64", True)
jax.config.update("jax_numpy_rank_promotion", "raise")
jax.config.update("jax_numpy_dtype_promotion", "strict")
jax.config.update("jax_num_cpu_devices", 4)

# Compiled programs outlive a run, and binaries under test share them.
_FOLDER = pathlib.Path(tempfile.gettempdir()) / f"mdrl-jax-{jax.__version__}"
_CACHE = os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(_FOLDER))
jax.config.update("jax_compilation_cache_dir", _CACHE)
jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)
