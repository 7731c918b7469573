"""ONNX Runtime leaves nothing behind: with the variable set, no identifier and no cache."""

import os
import subprocess
import sys
from pathlib import Path

from onnxruntime.capi import onnxruntime_pybind11_state

from tests.support.tiny_model import binary_signature, graph

VARIABLE = "ORT_DISABLE_TELEMETRY"
# What suppresses telemetry by itself must not make this test pass.
SUPPRESSING = ("CI", "PYTEST", "GITHUB_", "TF_BUILD", "BUILD_")
PROGRAM = """
import sys
from pathlib import Path
from noria.core.model.onnx_scoring import OnnxModel
from noria.core.model.signature import Signature
folder = Path(sys.argv[1])
signature = Signature.model_validate_json((folder / "signature.json").read_text())
answers = OnnxModel((folder / "model.onnx").read_bytes(), signature).predict([{"distance": 1.0}])
print(round(answers[0]["probability"], 4))
"""


def test_the_installed_library_reads_the_variable() -> None:
    """GIVEN the library THEN it knows the variable: where not, its Privacy.md says what it is."""
    assert VARIABLE.encode() in Path(onnxruntime_pybind11_state.__file__).read_bytes()


def test_a_process_that_predicts_leaves_no_files(tmp_path: Path) -> None:
    """GIVEN a home of its own and the tests' variables THEN the process writes nothing there."""
    model, home = tmp_path / "model", tmp_path / "home"
    model.mkdir()
    home.mkdir()
    (model / "model.onnx").write_bytes(graph(binary_signature()))
    (model / "signature.json").write_text(binary_signature().model_dump_json())
    inherited = {n: v for n, v in os.environ.items() if not n.startswith(SUPPRESSING)}
    places = dict.fromkeys(("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME"), str(home))
    assert inherited[VARIABLE] == "1"
    done = subprocess.run(
        [sys.executable, "-B", "-c", PROGRAM, str(model)],
        env=inherited | places, cwd=home, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "0.6225\n"
    assert sorted(home.rglob("*")) == []
