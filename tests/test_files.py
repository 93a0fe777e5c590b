"""Files and folders that are whole or not there: what is refused, what a failure or a killed process leaves."""
import errno
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from recaptcha import files
from recaptcha.files import DataError, regular, remove_partial, swap_in, working_folder, written


def write(path, text="new", **kwargs):
    with written(path, **kwargs) as file:
        file.write(text)


def names(folder):
    return sorted(os.listdir(folder))


def refused(action, path, *words):
    """`action(path)` is a `DataError` of one line that names the path."""
    with pytest.raises(DataError) as error:
        action(path)
    text = str(error.value)
    assert text.startswith(f"{path}: ") and "\n" not in text
    assert all(word in text for word in words), text


# Targets that are no files

def circle(path):
    path.symlink_to(path.name)


@pytest.mark.parametrize("make, word", [(Path.mkdir, "folder"), (os.mkfifo, "regular"), (circle, "back to itself")])
def test_what_is_no_file_is_refused_and_stays(tmp_path, make, word):
    path = tmp_path / "x"
    make(path)
    before = path.lstat()
    refused(write, path, word)
    assert path.lstat() == before and names(tmp_path) == ["x"]


@pytest.mark.parametrize("name", ["n" * 256, "a/" * 3000 + "b", "none/x", "file/x", "zero\0byte"])
def test_names_that_no_file_can_have(tmp_path, name):
    (tmp_path / "file").touch()
    path = f"{tmp_path}/{name}"
    refused(write, path)
    refused(regular, path)
    assert names(tmp_path) == ["file"]


def test_a_name_as_long_as_names_can_be(tmp_path):
    path = tmp_path / ("ü" * 127)
    write(path)
    with working_folder(path) as folder:
        assert folder.parent == tmp_path
    assert path.read_text() == "new" and names(tmp_path) == [path.name]


def test_a_write_protected_file_is_not_replaced(tmp_path, monkeypatch):
    (tmp_path / "x").write_text("old")
    monkeypatch.setattr(files.os, "access", lambda path, mode: False)  # as root, everything may be written
    refused(write, tmp_path / "x", "write-protected")
    assert (tmp_path / "x").read_text() == "old"


def test_a_folder_that_takes_nothing_new(tmp_path, monkeypatch):
    def denied(path, *args):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))

    (tmp_path / "x").write_text("old")
    monkeypatch.setattr(files.os, "mkdir", denied)
    monkeypatch.setattr(files.os, "open", denied)
    monkeypatch.setattr(files.os, "listdir", denied)
    refused(write, tmp_path / "x", "Permission denied")
    with pytest.raises(DataError, match="Permission denied"), working_folder(tmp_path / "x"):
        pass
    assert (tmp_path / "x").read_text() == "old"


# What a write does to what was there

def test_links_are_written_through_and_modes_kept(tmp_path):
    (tmp_path / "real").write_text("old")
    (tmp_path / "real").chmod(0o640)
    (tmp_path / "link").symlink_to("real")
    (tmp_path / "dangling").symlink_to("later")
    write(tmp_path / "link")
    write(tmp_path / "dangling")
    assert (tmp_path / "real").read_text() == (tmp_path / "later").read_text() == "new"
    assert (tmp_path / "real").stat().st_mode & 0o777 == 0o640
    assert (tmp_path / "link").is_symlink() and (tmp_path / "dangling").is_symlink()


def test_what_is_made_again_need_not_wait_for_the_disk(tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr(os, "fsync", waited.append)
    write(tmp_path / "a", wait=False)
    assert waited == [] and (tmp_path / "a").read_text() == "new"
    write(tmp_path / "a")
    assert len(waited) == 1


def test_another_name_of_the_same_file_keeps_the_old_content(tmp_path):
    (tmp_path / "a").write_text("old")
    os.link(tmp_path / "a", tmp_path / "b")
    write(tmp_path / "a")
    assert (tmp_path / "a").read_text() == "new" and (tmp_path / "b").read_text() == "old"


ERRORS = [KeyboardInterrupt(), ConnectionResetError(errno.ECONNRESET, "reset"), BrokenPipeError(errno.EPIPE, "pipe"),
          FileNotFoundError(errno.ENOENT, "none", "elsewhere.png"), OSError("of a library")]


@pytest.mark.parametrize("error", ERRORS)
def test_what_goes_wrong_inside_the_block_is_passed_on(tmp_path, error):
    (tmp_path / "x").write_text("old")
    with pytest.raises(type(error)) as raised, written(tmp_path / "x") as file:
        file.write("half of")
        raise error
    assert raised.value is error
    assert (tmp_path / "x").read_text() == "old" and names(tmp_path) == ["x"]


def test_a_full_disk_is_one_line(tmp_path):
    def fill(path):
        with written(path) as file:
            file.write("half of")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    refused(fill, tmp_path / "x", "No space left")
    assert not names(tmp_path)


def test_many_writers_of_one_file(tmp_path):
    def repeat(text):
        for _ in range(30):
            write(tmp_path / "x", text)

    threads = [threading.Thread(target=repeat, args=(letter * 5000,)) for letter in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert len(set((tmp_path / "x").read_text())) == 1 and names(tmp_path) == ["x"]


# Without locks, and what a killed process leaves

def test_a_file_system_without_locks(tmp_path, monkeypatch):
    def none(*args):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(files.fcntl, "flock", none)
    write(tmp_path / "x")
    with working_folder(tmp_path / "y") as folder:
        remove_partial(tmp_path / "y")  # nobody can tell whether it is in use
        assert folder.is_dir()
    assert names(tmp_path) == ["x"]


KILLED = """if True:
    import os, signal, sys
    from pathlib import Path
    from recaptcha.files import swap_in, working_folder, written
    folder = Path(sys.argv[1])
    with written(folder / 'table.csv') as file, working_folder(folder / 'tiles') as work:
        (work / 'new' / 'deep').mkdir(parents=True)
        os.replace(folder / 'tiles', work / 'old-0')  # the first of the two renames of `swap_in`
        os.kill(os.getpid(), signal.SIGKILL)"""


def test_a_killed_process_leaves_nothing_for_long(tmp_path):
    (tmp_path / "tiles").mkdir()
    (tmp_path / "tiles" / "tile.png").touch()
    assert subprocess.run([sys.executable, "-c", KILLED, tmp_path]).returncode == -signal.SIGKILL
    assert len(names(tmp_path)) == 2 and not (tmp_path / "tiles").exists()
    write(tmp_path / "table.csv")
    remove_partial(tmp_path / "tiles")
    assert names(tmp_path) == ["table.csv", "tiles"] and names(tmp_path / "tiles") == ["tile.png"]


def test_only_what_is_left_over_is_removed(tmp_path):
    kept = [".x.notes.partial", ".x.0123456789ab.partial.txt", "x.0123456789ab.partial", ".y.0123456789ab.partial"]
    for name in [*kept, ".x.0123456789ab.partial"]:
        (tmp_path / name).touch()
    with working_folder(tmp_path / "x") as used:
        remove_partial(tmp_path / "x")
        assert names(tmp_path) == sorted([*kept, used.name])


def test_left_over_links_and_pipes_do_no_harm(tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    (tmp_path / ".x.0123456789ab.partial").symlink_to("mine")
    os.mkfifo(tmp_path / ".x.ba9876543210.partial")
    write(tmp_path / "x")
    assert names(tmp_path / "mine") == ["thesis.txt"]


def test_a_forked_child_does_not_clean_up_for_its_parent(tmp_path):
    with working_folder(tmp_path / "x") as folder:
        child = os.fork()
        if not child:
            os._exit(0)
        os.waitpid(child, 0)
        remove_partial(tmp_path / "x")
        assert folder.is_dir()


# Folders that take the place of others

def new_in(work, text):
    (work / "new").mkdir()
    (work / "new" / "a").write_text(text)
    return work / "new"


def test_a_folder_takes_the_place_of_another(tmp_path):
    for text in "123":
        with working_folder(tmp_path / "x") as work:
            swap_in(new_in(work, text), tmp_path / "x")
            assert (tmp_path / "x" / "a").read_text() == text
    assert names(tmp_path) == ["x"]


def test_a_swap_that_fails_leaves_the_old_folder(tmp_path):
    (tmp_path / "x").mkdir()
    with working_folder(tmp_path / "x") as work, pytest.raises(FileNotFoundError):
        swap_in(work / "none", tmp_path / "x")
    assert names(tmp_path) == ["x"]


def test_a_swap_meets_another(tmp_path, monkeypatch):
    """Between the two renames another process puts its own folder there."""
    target, replace, faster = tmp_path / "x", os.replace, [1]

    def replace_after_another(source, destination):
        if destination == target and faster:
            faster.pop()
            target.mkdir()
            (target / "of another").touch()
        replace(source, destination)

    with working_folder(target) as work:
        new = new_in(work, "mine")
        monkeypatch.setattr(files.os, "replace", replace_after_another)
        swap_in(new, target)
    assert names(target) == ["a"] and names(tmp_path) == ["x"]
