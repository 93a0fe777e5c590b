#!/usr/bin/env bash
# Shows that the module works for who installs it today: `pip install` with nothing pinned and none of the tools it is developed
# with, first what answers a challenge, then the rest; every module imported, every notebook run on drawn tiles by plain
# nbconvert. All in a throw-away folder.
# Arguments, if any, name the notebooks to run (default: all). Environment: PYTHON, the Python to use (default: python3).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
python=${PYTHON:-python3}
[ $# -gt 0 ] || set -- _notebooks/*.ipynb _notebooks/toolkit/*.ipynb

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m venv "$work/venv"
cp -R setup.py settings.ini pyproject.toml README.md LICENSE recaptcha "$work/"
cp -R _notebooks results "$work/"
rm -rf "$work/recaptcha/__pycache__"

python=$work/venv/bin/python
echo "Installing what answers a challenge, with the newest of what it needs"
"$python" -m pip install -qq --disable-pip-version-check "$work" # the copy, so that nothing is built in the checkout
figure=$PWD/images/demo/tiles.webp
cd "$work/_notebooks" # where no module lies that could be imported instead
"$work/venv/bin/recaptcha-predict" --help > /dev/null
"$python" - "$figure" <<'PYTHON'
import importlib.util, sys
from PIL import Image
from recaptcha.network import Network
import numpy as np

assert importlib.util.find_spec("torch") is None, "torch is installed: this is not the smallest installation"
tile = np.asarray(Image.open(sys.argv[1]).convert("RGB").crop((0, 0, 120, 120)))
print("a tile's probabilities:", Network().probs(tile[None]).round(2).tolist())
PYTHON
cd "$work"

echo "Installing the rest"
"$python" -m pip install -qq --disable-pip-version-check "$work[train]"
rm -rf "$work/recaptcha" "$work/build"

cd "$work/_notebooks"
"$python" - <<'PYTHON'
import importlib, importlib.metadata as metadata, importlib.util, pkgutil
import recaptcha

print(*(f"{name} {metadata.version(name)}" for name in ("fastai", "fastcore", "torch", "torchvision", "numpy", "pandas")), sep="\n")
assert importlib.util.find_spec("nbdev") is None, "nbdev is installed: this is not the module alone"
for module in pkgutil.walk_packages(recaptcha.__path__, "recaptcha."):
    print("import", module.name)
    importlib.import_module(module.name)
PYTHON
for command in "$work"/venv/bin/recaptcha-*; do
  echo "$(basename "$command") --help"
  "$command" --help > /dev/null
done

"$python" -m pip install -qq --disable-pip-version-check nbconvert ipykernel captum # captum draws where a network looks
export RECAPTCHA_RUN=toy
for notebook in "$@"; do
  name=${notebook#_notebooks/}
  start=$SECONDS
  "$python" -m nbconvert --to notebook --execute --log-level WARN --ExecutePreprocessor.timeout=600 \
    --output-dir "$work/out" "$work/_notebooks/$name"
  echo "$name: $((SECONDS - start)) s"
done
echo "Success."
