"""Fixtures that several test files share."""
import pytest

from recaptcha.toy import make_tiles


@pytest.fixture(scope='session')
def toy_root(tmp_path_factory):
    "A folder of 240 drawn tiles, laid out as the real ones are; tests read it and change only copies"
    root = tmp_path_factory.mktemp('toy')/'toy'
    make_tiles(root, n=240, seed=7)
    return root
