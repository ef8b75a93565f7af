"""Tests of `mdrl.parallel.sweep`, on several devices of one machine."""

import subprocess
import sys
import textwrap

from absl.testing import absltest
import jax
import jax.numpy as jnp
import numpy as np

from mdrl.batching import lanes
from mdrl.parallel import sweep


def _fn(setting, table):
  step_size, shift = setting
  rows = jax.lax.fori_loop(
    0, 5, lambda _, x: jnp.tanh(table @ x * step_size), table[0] + shift
  )
  return {"rows": rows, "count": jnp.sum(rows > 0), "shared": table}


def _arguments(size):
  rng = np.random.default_rng(0)
  setting = tuple(jnp.asarray(rng.normal(size=size)) for _ in range(2))
  return setting, jnp.asarray(rng.normal(size=(3, 3)))


class SweepTest(absltest.TestCase):
  def test_is_vmap_last(self):
    args = _arguments(7)
    wanted = jax.jit(lanes.vmap_last(_fn, (True, False)))(*args)
    found = jax.jit(sweep.sweep(_fn, (True, False)))(*args)
    jax.tree.map(np.testing.assert_array_equal, found, wanted)

  def test_devices_share(self):
    # The number of devices is set before JAX starts.
    program = textwrap.dedent("""
        import jax
        jax.config.update("jax_platforms", "cpu")
        jax.config.update("jax_num_cpu_devices", 3)
        jax.config.update("jax_enable_x64", True)
        import numpy as np
        from mdrl.batching import lanes
        from mdrl.parallel import sweep
        from tests.parallel import sweep_test
        for size in (1, 3, 7):
          args = sweep_test._arguments(size)
          fn = sweep_test._fn
          found = jax.jit(sweep.sweep(fn, (True, False)))(*args)
          wanted = jax.jit(lanes.vmap_last(fn, (True, False)))(*args)
          jax.tree.map(
              lambda x, y: np.testing.assert_allclose(x, y, rtol=1e-12),
              found, wanted)
        whole = jax.jit(sweep.sweep(fn, (True, False)))
        text = whole.lower(*sweep_test._arguments(6)).compile().as_text()
        assert "f64[3,2]" in text, text
        assert "all-reduce" not in text and "all-gather" not in text, text
        print(len(jax.devices()), "devices")
    """)
    done = subprocess.run(
      [sys.executable, "-c", program],
      capture_output=True,
      text=True,
      check=False,
    )
    self.assertEqual(done.stdout.strip(), "3 devices", done.stderr)

  def test_runs_where_it_is_told(self):
    devices = jax.devices()[-1:]
    found = jax.jit(sweep.sweep(_fn, (True, False), devices))(*_arguments(3))
    self.assertEqual(found["rows"].devices(), set(devices))

  def test_settings_of_different_numbers(self):
    with self.assertRaisesRegex(ValueError, r"sizes \[2, 3\]"):
      sweep.sweep(_fn, (True, False))((jnp.ones(2), jnp.ones(3)), jnp.ones(2))


if __name__ == "__main__":
  absltest.main()
