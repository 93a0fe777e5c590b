"""Collecting under faults: each is one clear line and a non-zero exit, and leaves nothing half-written."""
import errno, http.server, io, os, shutil, struct, subprocess, sys, threading, zipfile, zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from recaptcha import data
from recaptcha.data import DataError, collect, extract_tiles, fetch_archive, open_tile, read_labels, tile_table, verify_tiles


def pack(root, dest, change=lambda name, content: content):
    "Zip the tiles below `root` as GitHub would; `change` may alter an entry's bytes, or drop it with None"
    with zipfile.ZipFile(dest, 'w') as z:
        z.writestr('recaptcha-dataset-main/LICENSE', 'MIT')
        for p in sorted((root/'Large').rglob('*.png')):
            name = p.relative_to(root).as_posix()
            if (content := change(name, p.read_bytes())) is not None: z.writestr(f'recaptcha-dataset-main/{name}', content)
    return dest


@pytest.fixture
def archive(toy_root, tmp_path): return pack(toy_root, tmp_path/'tiles.zip')


def one_line(error, *words):
    text = str(error.value)
    assert '\n' not in text and all(w in text for w in words), text


def test_second_run_finds_the_tiles_and_writes_nothing(archive, toy_root, tmp_path):
    root = collect(tmp_path/'home', archive.as_uri())
    times = {p: p.stat().st_mtime_ns for p in root.rglob('*')}
    archive.unlink() # so a second run cannot read it again
    assert collect(tmp_path/'home', archive.as_uri())==root
    assert {p: p.stat().st_mtime_ns for p in root.rglob('*')}==times
    report = verify_tiles(root, toy_root/'labels')
    assert report.upstream.sum()==len(times)-len(report)-2 and not report.mirror.sum() # all by hash; two: Large, LICENSE


def test_person_s_own_archive_is_left_alone(archive, tmp_path):
    collect(tmp_path/'home', str(archive))
    assert archive.is_file()


@pytest.mark.parametrize('damage', ['truncated', 'text', 'empty'])
def test_archive_that_is_no_zip(archive, tmp_path, damage):
    content = archive.read_bytes()
    archive.write_bytes({'truncated': content[:len(content)//2], 'text': b'<html>not found</html>', 'empty': b''}[damage])
    with pytest.raises(DataError) as e: collect(tmp_path/'home', archive.as_uri())
    one_line(e, 'tiles.zip', 'zip')
    assert not list((tmp_path/'home').iterdir())


def test_archive_with_a_damaged_entry(archive, tmp_path):
    content = bytearray(archive.read_bytes()); content[len(content)//3] ^= 0xff # breaks one entry's checksum
    archive.write_bytes(content)
    with pytest.raises(DataError) as e: collect(tmp_path/'home', archive.as_uri())
    one_line(e, 'tiles.zip')
    assert not list((tmp_path/'home').iterdir())


@pytest.mark.parametrize('name', ['x/Large/Car/../../../evil.png', '/etc/Large/Car/evil.png', 'x/Large/Car/..\\..\\evil.png', 'C:/Large/Car/evil.png'])
def test_entry_that_escapes(tmp_path, name):
    with zipfile.ZipFile(tmp_path/'a.zip', 'w') as z: z.writestr('x/Large/Car/ok.png', b'.'); z.writestr(name, b'.')
    with pytest.raises(DataError) as e: extract_tiles(tmp_path/'a.zip', tmp_path/'home'/'tiles')
    one_line(e, 'outside the folder')
    assert not list((tmp_path/'home').iterdir()) and not list(tmp_path.rglob('evil.png'))


def test_entry_that_is_a_link(tmp_path):
    info = zipfile.ZipInfo('x/Large/Car/link.png'); info.external_attr = 0o120777<<16
    with zipfile.ZipFile(tmp_path/'a.zip', 'w') as z: z.writestr(info, '/etc/passwd')
    with pytest.raises(DataError): extract_tiles(tmp_path/'a.zip', tmp_path/'tiles')


def test_archive_of_something_else(tmp_path):
    with zipfile.ZipFile(tmp_path/'a.zip', 'w') as z: z.writestr('x/README.md', b'.')
    with pytest.raises(DataError) as e: extract_tiles(tmp_path/'a.zip', tmp_path/'tiles')
    one_line(e, 'a.zip', 'Large')


def test_archive_that_unpacks_too_large(archive, tmp_path):
    with pytest.raises(DataError) as e: extract_tiles(archive, tmp_path/'tiles', max_bytes=10_000)
    one_line(e, 'tiles.zip', 'GiB')
    assert not (tmp_path/'tiles').exists()


def test_disk_full_while_extracting(archive, tmp_path, monkeypatch):
    copy, calls = shutil.copyfileobj, iter(range(10_000))
    def full(src, dst):
        if next(calls)==40: raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        copy(src, dst)
    monkeypatch.setattr(data.shutil, 'copyfileobj', full)
    with pytest.raises(DataError) as e: collect(tmp_path/'home', archive.as_uri())
    one_line(e, 'No space left', 'RECAPTCHA_DATA')
    assert not list((tmp_path/'home').iterdir())


def test_failed_extraction_keeps_the_tiles_there_were(archive, tmp_path):
    root = collect(tmp_path/'home', archive.as_uri()); before = sorted(root.rglob('*'))
    archive.write_bytes(b'gone bad')
    with pytest.raises(DataError): collect(tmp_path/'home', archive.as_uri(), force=True)
    assert sorted(root.rglob('*'))==before


class Server(http.server.BaseHTTPRequestHandler):
    "Serves `content`; the first `failures` answers break off half way"
    content, failures = b'', 0
    def do_GET(self):
        self.send_response(200); self.send_header('Content-Length', str(len(self.content))); self.end_headers()
        broken = type(self).failures>0; type(self).failures -= 1
        self.wfile.write(self.content[:len(self.content)//2] if broken else self.content)
    def log_message(self, *args): pass


@pytest.fixture
def serve(monkeypatch):
    monkeypatch.setattr('pooch.core.time.sleep', lambda s: None)
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    def start(content, failures):
        Server.content, Server.failures = content, failures
        return f'http://127.0.0.1:{server.server_port}/main.zip'
    yield start
    server.shutdown(); server.server_close()


def test_download_tries_again(archive, serve, tmp_path):
    url = serve(archive.read_bytes(), failures=2)
    root = collect(tmp_path/'home', url)
    assert len(list(root.rglob('*.png')))>200
    assert [p.name for p in (tmp_path/'home').iterdir()]==['tiles'] # the archive is not kept


def test_download_that_never_completes(archive, serve, tmp_path):
    url = serve(archive.read_bytes(), failures=99)
    with pytest.raises(DataError) as e: fetch_archive(url, tmp_path/'home', retries=1)
    one_line(e, url, '2 tries', 'file://')
    assert not [p for p in (tmp_path/'home').rglob('*') if p.is_file()]


def test_download_of_a_page_instead_of_the_archive(serve, tmp_path):
    with pytest.raises(DataError): collect(tmp_path/'home', serve(b'<html>sign in</html>', failures=0))
    assert not [p for p in (tmp_path/'home').rglob('*') if p.is_file()] # or the next run would find the page


# What is wrong with the tiles themselves

@pytest.fixture
def tiles(toy_root, tmp_path):
    shutil.copytree(toy_root, tmp_path/'tiles')
    return tmp_path/'tiles'


def unlabelled(root):
    table = tile_table(root)
    return table[(table.set=='') & (table.folder=='Car')].path.iloc[0]


def test_checksum_mismatch(tiles):
    p = unlabelled(tiles); Image.new('RGB', (120,120)).save(p)
    with pytest.raises(DataError) as e: verify_tiles(tiles, tiles/'labels')
    one_line(e, p.name, 'checksum')


@pytest.mark.parametrize('content', [b'', b'not a picture'])
def test_unreadable_tile_of_a_mirror(tiles, content):
    p = unlabelled(tiles); p.unlink(); p.with_suffix('.jpg').write_bytes(content)
    with pytest.raises(DataError) as e: verify_tiles(tiles, tiles/'labels')
    one_line(e, p.stem, 'readable')


def test_mirror_is_checked_by_size(tiles):
    p = unlabelled(tiles); size = open_tile(p).size; p.unlink()
    Image.new('RGB', size).save(p.with_suffix('.jpg'))
    assert verify_tiles(tiles, tiles/'labels').mirror.sum()==1
    Image.new('RGB', (size[0]+1,size[1])).save(p.with_suffix('.jpg'))
    with pytest.raises(DataError) as e: verify_tiles(tiles, tiles/'labels')
    one_line(e, p.stem, 'size')


def test_folder_missing(tiles):
    shutil.rmtree(tiles/'Large'/'Bus')
    with pytest.raises(DataError) as e: verify_tiles(tiles, tiles/'labels')
    one_line(e, 'Bus', 'missing')


def test_labelled_tile_missing(tiles):
    table = tile_table(tiles); table[table.set=='test'].path.iloc[0].unlink()
    with pytest.raises(DataError) as e: verify_tiles(tiles, tiles/'labels')
    one_line(e, 'labelled', 'missing')


def test_many_tiles_missing(tiles):
    table = tile_table(tiles); plain = table[(table.set=='') & (table.folder=='Car')]
    for p in plain.path.iloc[:len(table)//10]: p.unlink()
    with pytest.raises(DataError) as e: verify_tiles(tiles, tiles/'labels')
    one_line(e, 'incomplete')


@pytest.mark.parametrize('row, word', [('Car/Car (1),Car,Car;Tank', 'Tank'), ('Car/Car (99999),Car,Car', '99999')])
def test_label_file_that_speaks_of_the_unknown(tiles, row, word):
    p = tiles/'labels'/'test.csv'; p.write_text(p.read_text()+row+'\n')
    with pytest.raises(DataError) as e: tile_table(tiles)
    one_line(e, 'test.csv', 'line', word)


@pytest.mark.parametrize('content', ['', 'a,b\n1,2\n', '\x00\x01'])
def test_label_file_that_is_none(tmp_path, content):
    (tmp_path/'l.csv').write_text(content)
    with pytest.raises(DataError) as e: read_labels(tmp_path/'l.csv')
    one_line(e, 'l.csv')


# Pictures: what has one meaning as RGB is converted, what has none is refused

GREY = (64,64,64)

def cmyk(p): Image.new('CMYK', (120,120), (0,0,0,191)).save(p, 'JPEG', quality=95)
def sixteen_bit(p): Image.fromarray(np.full((120,120), 64*256+200, dtype=np.uint16)).save(p, 'PNG')
def palette(p): Image.new('RGB', (120,120), GREY).quantize(4).save(p, 'PNG')
def alpha(p): Image.new('RGBA', (120,120), (0,0,0,191)).save(p, 'PNG')
def wrong_extension(p): Image.new('RGB', (120,120), GREY).save(p, 'BMP')
def greyscale(p): Image.new('L', (120,120), 64).save(p, 'PNG')

@pytest.mark.parametrize('make', [cmyk, sixteen_bit, palette, alpha, wrong_extension, greyscale])
def test_picture_with_one_meaning(tmp_path, make):
    make(tmp_path/'x.jpg')
    im = open_tile(tmp_path/'x.jpg')
    assert im.mode=='RGB' and im.size==(120,120)
    assert np.abs(np.asarray(im).astype(int)-64).max()<=2


def zero_bytes(p): p.write_bytes(b'')
def truncated(p):
    Image.fromarray(np.random.default_rng(0).integers(0, 255, (120,120,3), dtype=np.uint8)).save(p, 'PNG')
    p.write_bytes(p.read_bytes()[:9000])
def text(p): p.write_text('GIF? no')
def animated(p): Image.new('L', (9,9)).save(p, 'GIF', save_all=True, append_images=[Image.new('L', (9,9), 255)])
def folder(p): p.mkdir()
def missing(p): pass
def bomb(p):
    "A PNG that claims 60,000 × 60,000 pixels in a few bytes"
    chunk = lambda kind, body: struct.pack('>I', len(body))+kind+body+struct.pack('>I', zlib.crc32(kind+body))
    p.write_bytes(b'\x89PNG\r\n\x1a\n'+chunk(b'IHDR', struct.pack('>IIBBBBB', 60_000, 60_000, 8, 2, 0, 0, 0))+chunk(b'IDAT', zlib.compress(b''))+chunk(b'IEND', b''))
def large(p): Image.new('1', (6000,6000)).save(p, 'PNG') # under Pillow's own limit, over ours

@pytest.mark.parametrize('make', [zero_bytes, truncated, text, animated, folder, missing, bomb, large])
def test_picture_without_meaning(tmp_path, make):
    make(tmp_path/'x.png')
    with pytest.raises(DataError) as e: open_tile(tmp_path/'x.png')
    one_line(e, 'x.png')


# The command

def run(*args, **env):
    return subprocess.run([sys.executable, '-c', 'from recaptcha.data import main; main()', *map(str, args)], capture_output=True, text=True, env={**os.environ, **env})


def test_command_ends_with_one_line_and_exit_1(tmp_path):
    r = run('--to', tmp_path/'home', '--url', 'file:///no/such.zip')
    assert r.returncode==1
    assert r.stderr.startswith('recaptcha-collect: ') and '/no/such.zip' in r.stderr and r.stderr.count('\n')==1


def test_command_reports_by_folder(archive, toy_root, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(data, 'LABELS_DIR', toy_root/'labels')
    monkeypatch.setattr(data.verify_tiles, '__defaults__', (toy_root/'labels',))
    data.main(['--to', str(tmp_path/'home'), '--url', archive.as_uri()])
    out = capsys.readouterr().out
    assert 'Traffic Light' in out and 'total' in out and 'all checked' in out
