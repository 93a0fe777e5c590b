"""Collecting under faults: each is one clear line, leaves nothing half-written and a person's own files alone."""
import errno
import http.server
import os
import random
import resource
import signal
import stat
import struct
import subprocess
import sys
import threading
import time
import zipfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from recaptcha import cli, tiles
from recaptcha.archive import extract_tiles, fetch_archive
from recaptcha.collect import _fetch, collect
from recaptcha.files import DataError
from recaptcha.pictures import open_tile
from recaptcha.toy import FOLDERS
from recaptcha.verify import verify_tiles


def pack(root, dest):
    "Zip the tiles below `root` as GitHub would"
    with zipfile.ZipFile(dest, 'w') as z:
        z.writestr('recaptcha-dataset-main/LICENSE', 'MIT')
        for p in sorted((root/'Large').rglob('*.png')):
            z.write(p, f'recaptcha-dataset-main/{p.relative_to(root).as_posix()}')
    return dest


def zip_of(dest, *names, content=b'.', **kwargs):
    "A zip with entries of these names, or `ZipInfo`s"
    with zipfile.ZipFile(dest, 'w', **kwargs) as z:
        for name in names: z.writestr(name, content)
    return dest


def snapshot(folder): return {p: p.lstat().st_mtime_ns for p in Path(folder).rglob('*')}


def refused(home, url, *words, kind=DataError, **kwargs):
    "`collect` says one line with these words, and neither leaves nor removes anything in `home`"
    before = snapshot(home)
    with pytest.raises(kind) as e: collect(home, str(url), **kwargs)
    text = str(e.value)
    assert '\n' not in text and all(w in text for w in words), text
    assert snapshot(home)==before


@pytest.fixture(scope='module')
def packed(toy_root, tmp_path_factory):
    return pack(toy_root, tmp_path_factory.mktemp('packed')/'tiles.zip').read_bytes()

@pytest.fixture
def archive(packed, tmp_path):
    "An archive of a person's own, which no test may lose"
    path = tmp_path/'tiles.zip'
    path.write_bytes(packed)
    yield path
    assert path.is_file()


def test_second_run_finds_the_tiles_and_writes_nothing(packed, toy_root, tmp_path):
    (tmp_path/'tiles.zip').write_bytes(packed)
    root = collect(tmp_path/'home', (tmp_path/'tiles.zip').as_uri())
    before = snapshot(root)
    (tmp_path/'tiles.zip').unlink() # so a second run cannot read it again
    assert collect(tmp_path/'home', (tmp_path/'tiles.zip').as_uri())==root
    assert snapshot(root)==before
    report = verify_tiles(root, toy_root/'labels')
    assert report.upstream.sum()==len(before)-len(report)-2 # `Large`, its folders and the licence are no tiles
    assert not report.mirror.sum()


def test_persons_own_archive_is_left_alone_wherever_it_lies(packed, tmp_path):
    own = tmp_path/'home'/'tiles.zip' # in the very folder that downloads used to be kept in
    own.parent.mkdir()
    for content in (b'gone bad', packed):
        own.write_bytes(content)
        try: collect(own.parent, own.as_uri())
        except DataError: assert content==b'gone bad'
        assert own.read_bytes()==content


# Archives that are none

def cut(content): return content[:len(content)//2]
def page(content): return b'<html>not found</html>'
def empty(content): return b''
def flipped(content):
    middle = len(content)//3
    return content[:middle]+bytes([content[middle]^0xff])+content[middle+1:]

@pytest.mark.parametrize('damage', [cut, page, empty, flipped])
def test_archive_that_is_damaged(archive, tmp_path, damage):
    archive.write_bytes(damage(archive.read_bytes()))
    refused(tmp_path/'home', archive.as_uri(), 'tiles.zip', 'not a whole zip')
    assert os.listdir(tmp_path/'home')==[]


def test_failed_extraction_keeps_the_tiles_there_were(archive, tmp_path):
    collect(tmp_path/'home', archive.as_uri())
    archive.write_bytes(b'gone bad')
    refused(tmp_path/'home', archive.as_uri(), force=True)


@pytest.mark.parametrize('name', ['x/Large/Car/../../../evil.png', '/etc/Large/Car/evil.png',
                                  'x/Large/Car/..\\..\\evil.png', 'C:/Large/Car/evil.png'])
def test_entry_that_escapes(tmp_path, name):
    refused(tmp_path/'home', zip_of(tmp_path/'a.zip', 'x/Large/Car/ok.png', name), 'outside the folder')
    assert not list(tmp_path.rglob('evil.png'))


def test_entry_whose_folder_has_no_name(tmp_path):
    "An empty name before the file's used to make the path an absolute one: the file was written to `/`"
    evil = Path('/')/f'{tmp_path.name}-{os.getpid()}.png'
    for name in (f'x/Large/{evil}', f'x/Large/.{evil}'):
        root = extract_tiles(zip_of(tmp_path/'a.zip', 'x/Large/Car/ok.png', name), tmp_path/'tiles')
        written = evil.exists()
        evil.unlink(missing_ok=True)
        assert not written and [p.name for p in root.rglob('*.png')]==['ok.png']


def link():
    info = zipfile.ZipInfo('x/Large/Car/link.png')
    info.external_attr = (stat.S_IFLNK|0o777)<<16
    return info

@pytest.mark.parametrize('names, word', [
    ([link()], 'outside'),
    (['x/README.md'], 'Large'),
    (['x/Large/Car/a.png/'], 'Large'), # a folder is no tile
    (['x/Large/Car/a.png', 'y/Large/Car/a.png'], 'twice'),
    (['x/Large/Car/a.png', 'x/Large/Car/a.jpg'], 'twice'), # one tile, two files
    (['x/Large/Car/a.png', 'x/Large/Car/A.PNG'], 'twice'), # one file on a disk that doesn't tell them apart
    (['x/Large/Car/'+'a'*300+'.png'], 'name'),
    (['x/Large/Car/a\x1b[2J.png'], 'name'),
    (['x/Large/Car/a\n.png'], 'name')])
def test_archive_with_bad_entries(tmp_path, names, word):
    refused(tmp_path/'home', zip_of(tmp_path/'a.zip', *names), 'a.zip', word)


@pytest.mark.parametrize('packing', [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packing_that_unpacks_a_gigabyte_at_once(tmp_path, packing):
    refused(tmp_path/'home', zip_of(tmp_path/'a.zip', 'x/Large/Car/a.png', compression=packing), 'packed')


def test_archive_that_unpacks_too_large(archive, tmp_path):
    with pytest.raises(DataError, match='tiles.zip.*GiB'): extract_tiles(archive, tmp_path/'tiles', max_bytes=10_000)
    assert not (tmp_path/'tiles').exists()


def test_archive_that_says_it_is_small(tmp_path):
    "A hundred megabytes that are announced as ten bytes"
    path = zip_of(tmp_path/'a.zip', 'x/Large/Car/a.png', content=bytes(10**8), compression=zipfile.ZIP_DEFLATED)
    content = bytearray(path.read_bytes())
    for signature,offset in ((b'PK\1\2', 24), (b'PK\3\4', 22)):
        struct.pack_into('<I', content, content.find(signature)+offset, 10)
    path.write_bytes(content)
    with full_disk(10**6): refused(tmp_path/'home', path, 'not a whole zip')


def test_archive_with_too_many_entries(archive, tmp_path, monkeypatch):
    monkeypatch.setattr('recaptcha.archive.MAX_ENTRIES', 200)
    refused(tmp_path/'home', archive, 'entries')


def circle(p): p.symlink_to(p.name)
def device(p): p.symlink_to('/dev/zero')
def nothing(p): pass

@pytest.mark.parametrize('make, word', [(os.mkfifo, 'regular'), (Path.mkdir, 'folder'), (circle, 'symbolic'),
                                        (device, 'regular'), (nothing, 'no such')])
def test_archive_that_is_no_file(tmp_path, make, word):
    make(tmp_path/'a.zip')
    refused(tmp_path/'home', (tmp_path/'a.zip').as_uri(), 'a.zip', word)


@pytest.mark.parametrize('url', ['ftp://x/a.zip', 'http://[/a.zip', 'file:///a.zip\0', 's3://x/a.zip'])
def test_address_that_is_none(tmp_path, url):
    start = time.monotonic()
    refused(tmp_path/'home', url, 'a.zip')
    assert time.monotonic()-start<1 # trying again does not help


def mutated(content, rng):
    "A zip with a few bytes changed, or a piece cut out, repeated or zeroed; half of the time in its tables"
    tables = content.find(b'PK\1\2')
    content = bytearray(content)
    for _ in range(rng.choice((1, 1, 2, 8))):
        i = rng.randrange(tables, len(content)) if rng.random()<.5 else rng.randrange(len(content))
        n = rng.randrange(1, 40)
        kind = rng.randrange(5)
        if kind==0: content[i] ^= 1<<rng.randrange(8)
        elif kind==1: content[i] = rng.randrange(256)
        elif kind==2: del content[i:i+n]
        elif kind==3: content[i:i] = content[i:i+n]
        else: content[i:i+n] = b'\xff'*n
    return bytes(content)


def test_damaged_archives_of_all_kinds(tmp_path):
    whole = zip_of(tmp_path/'a.zip', 'x/LICENSE', *(f'x/Large/{f}/{f} (1).png' for f in FOLDERS),
                   content=bytes(range(256))*4, compression=zipfile.ZIP_DEFLATED).read_bytes()
    said = []
    for seed in range(150):
        (tmp_path/'a.zip').write_bytes(mutated(whole, random.Random(seed)))
        try: extract_tiles(tmp_path/'a.zip', tmp_path/'home'/'tiles')
        except DataError as e: said.append(str(e))
        assert set(os.listdir(tmp_path/'home'))<={'tiles'}
    assert len(said)>75 and not any('\n' in text for text in said)
    assert {p.parts[len(tmp_path.parts)] for p in tmp_path.rglob('*')}=={'a.zip','home'} # nothing outside


# Downloads

class Server(http.server.BaseHTTPRequestHandler):
    "Serves `content`; the first `failures` answers break off half way"
    content, failures = b'', 0
    def do_GET(self):
        self.send_response(200)
        self.send_header('Content-Length', str(len(self.content)))
        self.end_headers()
        broken = type(self).failures>0
        type(self).failures -= 1
        self.wfile.write(self.content[:len(self.content)//2] if broken else self.content)
    def log_message(self, *args): pass


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setattr('pooch.core.time.sleep', lambda s: None)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    def start(content, failures=0):
        Server.content, Server.failures = content, failures
        return f'http://127.0.0.1:{server.server_port}/main.zip'
    yield start
    server.shutdown()
    server.server_close()


def test_download_tries_again_and_is_not_kept(packed, serve, tmp_path):
    root = collect(tmp_path/'home', serve(packed, failures=2))
    assert len(list(root.rglob('*.png')))>200
    assert os.listdir(tmp_path/'home')==['tiles']


def test_download_that_never_completes(packed, serve, tmp_path):
    url = serve(packed, failures=99)
    with pytest.raises(DataError) as e: fetch_archive(url, tmp_path/'home', retries=1)
    assert all(w in str(e.value) for w in (url, '2 tries', 'file://'))
    assert not [p for p in (tmp_path/'home').rglob('*') if p.is_file()]


@pytest.mark.parametrize('damage', [page, cut, flipped])
def test_bad_download_is_named_by_its_address_and_not_kept(packed, serve, tmp_path, damage):
    url = serve(damage(packed))
    refused(tmp_path/'home', url, url, 'not a whole zip')
    assert os.listdir(tmp_path/'home')==[] # or the next run would find it
    assert collect(tmp_path/'home', serve(packed)).is_dir()


# Where the tiles are kept

@pytest.mark.parametrize('make', [Path.touch, os.mkfifo, circle, lambda p: p.symlink_to('/none/x')])
def test_home_that_is_no_folder(archive, tmp_path, monkeypatch, make):
    make(tmp_path/'home')
    monkeypatch.setenv('RECAPTCHA_DATA', str(tmp_path/'home'))
    with pytest.raises(DataError, match='home: .*RECAPTCHA_DATA'): collect(url=str(archive))
    assert sorted(os.listdir(tmp_path))==['home','tiles.zip'] and not (tmp_path/'home').is_dir()


@pytest.fixture
def refused_home(monkeypatch):
    "A folder that may be read and not written; as root, that must be played"
    def denied(path, *args, **kwargs): raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
    def protect():
        monkeypatch.setattr('filelock._unix.os.open', denied)
        monkeypatch.setattr('recaptcha.files.os.mkdir', denied)
    return protect

def test_home_that_is_write_protected(archive, tmp_path, refused_home):
    (tmp_path/'home').mkdir()
    refused_home()
    refused(tmp_path/'home', archive, 'home', 'Permission denied', 'RECAPTCHA_DATA')

def test_tiles_in_a_write_protected_home_are_found(archive, tmp_path, refused_home):
    root = collect(tmp_path/'home', str(archive))
    refused_home()
    assert collect(tmp_path/'home', str(archive))==root


@contextmanager
def full_disk(most):
    "Writing more than `most` bytes to a file fails, as on a full disk"
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limit[1]))
    try: yield
    finally: resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_disk_full_while_extracting(archive, tmp_path):
    with full_disk(10_000): refused(tmp_path/'home', archive, 'home', 'too large', 'free some space', 'RECAPTCHA_DATA')
    assert os.listdir(tmp_path/'home')==[]


def test_disk_full_while_downloading(packed, serve, tmp_path):
    with full_disk(10_000): refused(tmp_path/'home', serve(packed), 'too large', 'free some space', 'RECAPTCHA_DATA')
    assert os.listdir(tmp_path/'home')==[]


@pytest.mark.parametrize('own', ['thesis.txt', 'Large', 'Large/Mine', 'Large/Mine/photo.jpg'])
def test_a_folder_that_holds_something_else_is_not_replaced(archive, tmp_path, own):
    path = tmp_path/'home'/'tiles'/own
    path.parent.mkdir(parents=True)
    path.touch()
    refused(tmp_path/'home', archive, 'move it away', force=True)


def test_tiles_that_are_a_link_to_a_larger_disk(archive, tmp_path):
    (tmp_path/'home').mkdir()
    (tmp_path/'disk').mkdir()
    (tmp_path/'home'/'tiles').symlink_to(tmp_path/'disk'/'tiles')
    for force in (False, True): collect(tmp_path/'home', str(archive), force=force)
    assert (tmp_path/'home'/'tiles').is_symlink() and (tmp_path/'disk'/'tiles'/'Large').is_dir()
    assert os.listdir(tmp_path/'home')==os.listdir(tmp_path/'disk')==['tiles']


# Two at once, and killed ones

def test_the_second_waits_for_the_first_and_finds_its_tiles(archive, tmp_path, monkeypatch, capsys):
    waits, fetched, real = threading.Event(), [], _fetch
    def fetch(url, root):
        fetched.append(url)
        assert waits.wait(timeout=30)
        real(url, root)
    monkeypatch.setattr('recaptcha.collect._fetch', fetch)
    monkeypatch.setattr('recaptcha.collect.say', lambda text: waits.set() if 'waiting' in text else None)
    threads = [threading.Thread(target=collect, args=(tmp_path/'home', str(archive))) for _ in range(2)]
    for t in threads: t.start()
    for t in threads: t.join(timeout=60)
    assert len(fetched)==1
    assert os.listdir(tmp_path/'home')==['tiles'] # the lock is gone, too


def test_readers_of_the_tiles_do_not_notice_new_ones(archive, tmp_path):
    from recaptcha.batches import decode_tiles
    paths = sorted(collect(tmp_path/'home', str(archive)).rglob('*.png'))[:60]
    stop = threading.Event()
    def force():
        while not stop.is_set(): collect(tmp_path/'home', str(archive), force=True)
    thread = threading.Thread(target=force)
    thread.start()
    try:
        for _ in range(3): decode_tiles(paths, 120)
    finally:
        stop.set()
        thread.join(timeout=60)


def test_a_tile_that_is_away_for_an_instant(toy_root, tmp_path, monkeypatch):
    tile = next((toy_root/'Large').rglob('*.png'))
    monkeypatch.setattr(tiles.time, 'sleep', lambda seconds: (tmp_path/'x.png').write_bytes(tile.read_bytes()))
    assert tiles.read_tile(tmp_path/'x.png').size==open_tile(tile).size
    monkeypatch.setattr(tiles.time, 'sleep', lambda seconds: None)
    with pytest.raises(DataError, match='no such file'): tiles.read_tile(tmp_path/'y.png')


def kill(*args): os.kill(os.getpid(), signal.SIGKILL)
def kill_in_download(url, folder, retries):
    (folder/'tmp123').touch()
    kill()
def kill_in_swap(source, target, replace=os.replace):
    "The old tiles are away, the new ones not yet there"
    kill() if Path(target).name=='tiles' else replace(source, target)

@pytest.mark.parametrize('place, last', [('recaptcha.archive._chunks', kill),
                                         ('recaptcha.archive._download', kill_in_download),
                                         ('recaptcha.files.os.replace', kill_in_swap)])
def test_a_killed_one_leaves_nothing_for_long(archive, tmp_path, monkeypatch, place, last):
    home = tmp_path/'home'
    root = collect(home, str(archive))
    before = snapshot(root)
    url = 'https://example.invalid/a.zip' if last is kill_in_download else str(archive)
    if not (child := os.fork()):
        try:
            monkeypatch.setattr(place, last)
            collect(home, url, force=True)
        finally: os._exit(1)
    assert os.waitpid(child, 0)[1]==signal.SIGKILL and set(os.listdir(home))!={'tiles'}
    assert collect(home, 'file:///none.zip')==root # found, though this archive is none
    assert os.listdir(home)==['tiles'] and snapshot(root)==before


# The command

def test_collecting_needs_no_torch():
    "Nor does whoever reads label files or checks tiles; importing it used to take four seconds"
    code = "import sys, recaptcha.collect; assert not {'torch', 'fastai', 'matplotlib'} & set(sys.modules)"
    subprocess.run([sys.executable, '-c', code], check=True)


def command(*args):
    "Exit status of `recaptcha-collect`, in this process"
    try: cli.collect([str(a) for a in args])
    except SystemExit as e: return e.code
    return 0


def test_command_ends_with_one_line_and_exit_1(tmp_path, capsys):
    assert command('--to', tmp_path/'home', '--url', 'file:///no/such\x1b[2J.zip')==1
    said = capsys.readouterr()
    assert said.err.startswith('recaptcha-collect: ') and '/no/such' in said.err and said.err.count('\n')==1
    assert '\x1b' not in said.err and not said.out


def test_command_reports_by_folder(archive, toy_root, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verify_tiles, '__defaults__', (toy_root/'labels',))
    home = tmp_path/'hömé\n'
    assert command('--to', home, '--url', archive.as_uri())==0
    out = capsys.readouterr().out
    assert 'Traffic Light' in out and 'total' in out and 'all checked' in out
    next((home/'tiles'/'Large'/'Car').iterdir()).write_bytes(b'damaged')
    assert command('--to', home)==1
    assert capsys.readouterr().err.count('\n')==1


def test_command_is_broken_off(archive, tmp_path, monkeypatch, capsys):
    def interrupt(*args): raise KeyboardInterrupt
    monkeypatch.setattr('recaptcha.archive._chunks', interrupt)
    assert command('--to', tmp_path/'home', '--url', archive)==130
    assert capsys.readouterr().err=='recaptcha-collect: interrupted\n'
    assert os.listdir(tmp_path/'home')==[]


def test_command_explains_itself(capsys):
    assert command('--help')==0
    assert 'examples:\n  recaptcha-collect\n' in capsys.readouterr().out
    assert command('--too')==2
    assert capsys.readouterr().err.count('\n')==1
