"""A Python toolchain from the interpreter that has the project's packages.

Third-party packages are not built by Bazel: they are those of the interpreter
that `MDRL_PYTHON` names, or else of the first `python3` on the path, such as
that of an active virtual environment.
"""

_PROBE = "import jax, pyspiel, sys; print(sys.executable)"

_BUILD = """\
load("@bazel_tools//tools/python:toolchain.bzl", "py_runtime_pair")

py_runtime(
    name = "runtime",
    interpreter_path = "{python}",
    python_version = "PY3",
)

py_runtime_pair(
    name = "runtime_pair",
    py3_runtime = ":runtime",
)

toolchain(
    name = "toolchain",
    toolchain = ":runtime_pair",
    toolchain_type = "@bazel_tools//tools/python:toolchain_type",
)
"""

def _local_python_impl(ctx):
    python = ctx.os.environ.get("MDRL_PYTHON") or str(ctx.which("python3"))
    probe = ctx.execute([python, "-c", _PROBE])
    if probe.return_code:
        fail("\n".join([
            "%s cannot import jax and pyspiel." % python,
            "Run pip install -e '.[dev]' in a virtual environment and set",
            "MDRL_PYTHON to the path of its python.",
            probe.stderr,
        ]))
    ctx.file("BUILD", _BUILD.format(python = probe.stdout.strip()))

local_python = repository_rule(
    implementation = _local_python_impl,
    doc = "Finds an interpreter and declares `:toolchain` for it.",
    environ = ["MDRL_PYTHON", "PATH"],
    local = True,
)
