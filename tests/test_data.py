"""Tiles, tables and pictures under faults: each is one clear line that names the file."""
import hashlib
import os
import shutil
import struct
import zlib

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from recaptcha.files import DataError
from recaptcha.pictures import open_tile
from recaptcha.tables import LABELS_DIR, read_cells, read_checked, read_complete, read_labels, read_manifest
from recaptcha.tiles import known_objects, load_cells, load_tiles, tile_table, training_tiles, validation_fifth
from recaptcha.toy import CLASSES, make_tiles
from recaptcha.verify import verify_tiles


def one_line(error, *words):
    text = str(error.value)
    assert '\n' not in text and all(w in text for w in words), text


# What is wrong with the tiles themselves

@pytest.fixture
def tiles(toy_root, tmp_path):
    shutil.copytree(toy_root, tmp_path/'tiles')
    return tmp_path/'tiles'


def unlabelled(root):
    table = tile_table(root)
    return table[(table.set=='') & (table.folder=='Car')].path.iloc[0]


def refused(tiles, *words, look=verify_tiles):
    with pytest.raises(DataError) as e: look(tiles, tiles/'labels')
    one_line(e, *words)


def test_checksum_mismatch(tiles):
    p = unlabelled(tiles)
    Image.new('RGB', (120,120)).save(p)
    refused(tiles, p.name, 'checksum')
    p.write_bytes(bytes(p.stat().st_size)) # as long as the manifest says, or not: both are found
    refused(tiles, p.name, 'checksum')


@pytest.mark.parametrize('content', [b'', b'not a picture'])
def test_unreadable_tile_of_a_mirror(tiles, content):
    p = unlabelled(tiles)
    p.unlink()
    p.with_suffix('.jpg').write_bytes(content)
    refused(tiles, p.stem, 'readable')


def test_mirror_is_checked_by_size(tiles):
    p = unlabelled(tiles)
    size = open_tile(p).size
    p.unlink()
    Image.new('RGB', size).save(p.with_suffix('.jpg'))
    assert verify_tiles(tiles, tiles/'labels').mirror.sum()==1
    Image.new('RGB', (size[0]+1,size[1])).save(p.with_suffix('.jpg'))
    refused(tiles, p.stem, 'size')


def test_folder_missing(tiles):
    shutil.rmtree(tiles/'Large'/'Bus')
    refused(tiles, 'Bus', 'missing')


def test_labelled_tile_missing(tiles):
    table = tile_table(tiles)
    table[table.set=='test'].path.iloc[0].unlink()
    refused(tiles, 'labelled', 'missing')


def test_many_tiles_missing(tiles):
    table = tile_table(tiles)
    plain = table[(table.set=='') & (table.folder=='Car')]
    for p in plain.path.iloc[:len(table)//10]: p.unlink()
    refused(tiles, 'incomplete')


# What stands in the place of a tile or a folder is no such thing

def pipe(p): os.mkfifo(p)
def directory(p): p.mkdir()
def link(p): p.symlink_to('/etc/hostname')
def dangling(p): p.symlink_to('none')

@pytest.mark.parametrize('make', [pipe, directory, link, dangling])
@pytest.mark.parametrize('look', [verify_tiles, tile_table])
def test_tile_that_is_no_file(tiles, make, look):
    p = unlabelled(tiles)
    p.unlink()
    make(p)
    refused(tiles, p.name, 'not a regular file', look=look)


def test_tile_that_is_there_twice(tiles):
    p = unlabelled(tiles)
    shutil.copy(p, p.with_suffix('.jpg'))
    refused(tiles, p.stem, 'same tile')


@pytest.mark.parametrize('make', [pipe, link])
def test_large_that_is_no_folder(tiles, make):
    shutil.rmtree(tiles/'Large')
    make(tiles/'Large')
    refused(tiles, 'Large', 'recaptcha-collect')
    refused(tiles, 'Large', 'recaptcha-collect', look=tile_table)


@pytest.mark.parametrize('make', [pipe, link, dangling, lambda p: p.symlink_to('../Bus')])
def test_folder_that_is_none(tiles, make):
    shutil.rmtree(tiles/'Large'/'Car')
    make(tiles/'Large'/'Car')
    refused(tiles, 'Car', 'recaptcha-collect --force')


def test_folder_that_may_not_be_read(tiles, monkeypatch):
    "It used to count as empty"
    def scandir(path, real=os.scandir):
        if str(path).endswith('Car'): raise PermissionError(13, 'Permission denied', str(path))
        return real(path)
    monkeypatch.setattr(os, 'scandir', scandir)
    refused(tiles, 'Car', 'Permission denied')
    refused(tiles, 'Car', 'Permission denied', look=tile_table)


def test_what_else_lies_among_the_tiles_does_not_matter(tiles):
    for name in ('.DS_Store', 'Thumbs.db', '._Car (1).png'): (tiles/'Large'/'Car'/name).write_bytes(b'x')
    (tiles/'Large'/'Mine').mkdir()
    assert verify_tiles(tiles, tiles/'labels').found.sum()==len(tile_table(tiles))==240


# Drawn tiles that an earlier version left half-deleted

@pytest.mark.parametrize('damage', [lambda root: next((root/'Large'/'Car').iterdir()).unlink(),
                                    lambda root: shutil.rmtree(root/'Large'/'Bus'),
                                    lambda root: (root/'labels'/'small.csv').write_text('half')])
def test_drawn_tiles_are_drawn_again_where_some_are_gone(tmp_path, monkeypatch, damage):
    monkeypatch.setenv('RECAPTCHA_DATA', str(tmp_path))
    monkeypatch.setattr('recaptcha.collect.make_tiles', lambda root, n: make_tiles(root, n=60))
    whole = load_tiles('toy')
    assert len(whole)==60
    damage(tmp_path/'toy')
    pd.testing.assert_frame_equal(load_tiles('toy'), whole)
    monkeypatch.setattr('recaptcha.collect.make_tiles', None)
    pd.testing.assert_frame_equal(load_tiles('toy'), whole) # found


# Tables

def edit(path, change):
    "Change a table's lines (the first is the header)"
    path.write_text('\n'.join(change(path.read_text().splitlines()))+'\n')


def test_label_files_are_read_as_they_are():
    manifest = read_manifest()
    assert len(manifest)==11_774 and manifest.labels.notna().sum()==666
    assert read_labels(LABELS_DIR/'test.csv').iloc[1]==['Bicycle','Car']
    answers = read_checked(LABELS_DIR/'checked.csv')
    first = answers.loc['Bicycle/Bicycle (1)']
    assert first.present==['Car'] and first.absent==['Bridge','Crosswalk','Traffic Light']


BROKEN = [
    (b'', 'no column file'),
    (b'a,b\n1,2\n', 'no column file'),
    (b'\x00\x01', 'line 1', 'zero byte'),
    (b'file,folder,labels\nCar/a,Car,Car\nCar/b,Car,\x00\n', 'line 3', 'zero byte'),
    (b'file,folder,labels\nCar/a,Car,Car\nCar/\xff,Car,Car\n', 'line 3', 'UTF-8'),
    (b'file,labels,labels\n', "'labels'", 'twice'),
    (b'file,labels,extra\n', "'extra'", 'unknown'),
    (b'file,folder,labels\nCar/a,Car\n', 'line 2', '2 values'),
    (b'file,folder,labels\nCar/a,Car,Car,Bus\n', 'line 2', '4 values'),
    (b'file,folder,labels\nCar/a,Car,"Car\n', 'line 2', 'not CSV'),
    (b'file,folder,labels\nCar/a,Car,Car;Tank\n', 'line 2', "'Tank'"),
    (b'file,folder,labels\nCar/a,Car,nan\n', 'line 2', "'nan'"),
    (b'file,folder,labels\nCar/a,Car,Car;Bus;Car\n', 'line 2', "'Car' is there twice"),
    (b'file,folder,labels\nCar/a,Bus,Car\n', 'line 2', "'Bus'"),
    (b'file,folder,labels\nCar/a,Car,Car\n\nCar/a,Car,Car\n', 'line 4', 'second time')]

@pytest.mark.parametrize('content, words', [(content, words) for content,*words in BROKEN])
def test_label_file_with_a_fault(tmp_path, content, words):
    (tmp_path/'l.csv').write_bytes(content)
    with pytest.raises(DataError) as e: read_labels(tmp_path/'l.csv')
    one_line(e, 'l.csv', *words)


@pytest.mark.parametrize('make, word', [(pipe, 'regular'), (directory, 'folder'), (dangling, 'no such')])
def test_label_file_that_is_no_file(tmp_path, make, word):
    make(tmp_path/'l.csv')
    for read in (read_labels, read_checked):
        with pytest.raises(DataError) as e: read(tmp_path/'l.csv')
        one_line(e, 'l.csv', word)


def test_a_byte_order_mark_is_no_fault(tmp_path):
    (tmp_path/'l.csv').write_bytes('\ufefffile,labels\r\nCar/a,Car\r\n'.encode())
    assert read_labels(tmp_path/'l.csv').to_dict()=={'Car/a': ['Car']}


def test_label_files_and_manifest_agree(tiles):
    small,test = tiles/'labels'/'small.csv',tiles/'labels'/'test.csv'
    whole = {p: p.read_text() for p in (small,test)}
    of_test = whole[test].splitlines()[1]
    for path,change,words in ((small, lambda rows: [*rows, of_test], ('small.csv', 'line', 'not of this set')),
                              (test, lambda rows: [*rows, 'Car/Car (99999),Car,Car'], ('test.csv', 'line', '99999')),
                              (test, lambda rows: rows[:-1], ('test.csv', 'is missing'))):
        edit(path, change)
        with pytest.raises(DataError) as e: tile_table(tiles)
        one_line(e, *words)
        path.write_text(whole[path])
    tile_table(tiles)


def cell(n, value):
    "A change of the `n`-th value of the third line"
    def change(rows):
        values = rows[2].split(',')
        values[n] = value
        return [*rows[:2], ','.join(values), *rows[3:]]
    return change

@pytest.mark.parametrize('change, words', [
    (lambda rows: [*rows, rows[2]], ('line 242', 'second time')),
    (lambda rows: [rows[0].replace('bytes', 'size'), *rows[1:]], ('no column bytes',)),
    (lambda rows: [row+',' for row in rows], ("column ''",)),
    (cell(0, '../../etc/passwd'), ('line 3', 'passwd')), (cell(1, 'Bus'), ('line 3', "'Bus'")),
    (cell(2, 'nan'), ('line 3', 'SHA-1')),
    (cell(3, ''), ('line 3', 'bytes')), (cell(3, '-5'), ('line 3', 'bytes')), (cell(4, '120.0'), ('line 3', 'width')),
    (cell(5, '1'+'0'*300), ('line 3', 'height')), (cell(7, 'Test'), ('line 3', "'Test'"))])
def test_manifest_with_a_fault(tiles, change, words):
    edit(tiles/'manifest.csv', change)
    with pytest.raises(DataError) as e: tile_table(tiles)
    one_line(e, 'manifest.csv', *words)


def test_answers_with_a_fault(tiles):
    path = tiles/'labels'/'checked.csv'
    shutil.copy(tiles/'manifest.csv', path.parent)
    table = tile_table(tiles)
    test,plain = (table.file[table.set==s].iloc[0] for s in ('test',''))
    for row,words in ((f'{test},Car,', (test, 'test tile')), ('Car/Car (99999),Car,', ('99999', 'manifest')),
                      (f'{plain},Car;Tank,', ('Tank',)), (f'{plain},Car,Bus;Car', ("'Car'", 'both')),
                      (f'{plain},Bus;Bus,', ('twice',)), (f'{plain},Bus', ('2 values',))):
        path.write_text(f'file,present,absent\n{row}\n')
        with pytest.raises(DataError) as e: read_checked(path)
        one_line(e, 'checked.csv, line 2', *words)
    path.write_text(f'file,present,absent\n{plain},Bus;Car,Palm\n')
    assert read_checked(path).loc[plain].to_dict()==dict(present=['Bus','Car'], absent=['Palm'])


def three(table):
    "A tile to train on, another one, and one to test on"
    return (*table.file[table.set==''].head(2), table.file[table.set=='test'].iloc[0])

def test_complete_labels_with_a_fault(tiles):
    path = tiles/'labels'/'complete.csv'
    plain,other,test = three(tile_table(tiles))
    first = f'{other},Palm,'
    for row,words in ((f'{test},Car,', (test, 'test tile')), ('Car/Car (99999),Car,', ('99999', 'manifest')),
                      (f'{plain},Car;Tank,', ("'Tank'",)), (f'{plain},Car,Tank', ("'Tank'",)),
                      (f'{plain},Bus;Car,Car', ("'Car'", 'doubt')), (f'{plain},Bus;Bus,', ('twice',)),
                      (f'{other},Palm,', (other, 'second time')), (f'{plain},Bus', ('2 values',))):
        path.write_text(f'file,labels,doubt\n{first}\n{row}\n')
        with pytest.raises(DataError) as e: read_complete(path)
        one_line(e, 'complete.csv, line 3', *words)
    path.write_text(f'file,labels,doubt\n{first}\n{plain},Bus;Car,Palm\n')
    assert read_complete(path).loc[plain].to_dict()==dict(labels=['Bus','Car'], doubt=['Palm'])


def test_a_copy_with_other_labels_is_refused(tiles):
    path = tiles/'labels'/'complete.csv'
    groups = tile_table(tiles).query('duplicate_group!=""').groupby('duplicate_group').file
    a,b = groups.get_group('1')
    for change in ('Bus;Car,', 'Bus,Car', 'Bus,Palm'):
        path.write_text(f'file,labels,doubt\n{a},Bus,\n{b},{change}\n')
        with pytest.raises(DataError) as e: read_complete(path)
        one_line(e, 'complete.csv, line 3', a, b, 'copy')
    path.write_text(f'file,labels,doubt\n{a},Bus;Car,\n{b},Car;Bus,\n')
    assert len(read_complete(path))==2


def test_cells_with_a_fault(tiles):
    path = tiles/'labels'/'cells.csv'
    plain,other,test = three(tile_table(tiles))
    for row,words in ((f'{test},Car,1,', (test, 'test tile')), ('Car/Car (99999),Car,1,', ('99999', 'manifest')),
                      (f'{plain},Tank,1,', ("'Tank'",)), (f'{plain},,1,', ("''", 'class')),
                      (f'{plain},Car,0,', ("'0'", '1 to 16')), (f'{plain},Car,17,', ("'17'",)),
                      (f'{plain},Car,1;x,', ("'x'",)), (f'{plain},Car,01,', ("'01'",)),
                      (f'{plain},Car,1;2,3;2', ('cell 2', 'both')), (f'{plain},Car,3;3,', ('cell 3', 'twice')),
                      (f'{plain},Car,,4;4', ('cell 4', 'twice')), (f'{plain},Car,,', ('no cell',)),
                      (f'{other},Car,9,', (other, "'Car'", 'second time')), (f'{plain},Car,9', ('3 values',))):
        path.write_text(f'file,class,required,optional\n{other},Car,2;1,\n{row}\n')
        with pytest.raises(DataError) as e: read_cells(path)
        one_line(e, 'cells.csv, line 3', *words)
    path.write_text(f'file,class,required,optional\n{other},Car,,16\n{other},Bus,1;10,2\n')
    assert read_cells(path).iloc[1].to_dict()=={'file': other, 'class': 'Bus', 'required': [1,10], 'optional': [2]}


def test_label_files_of_real_tiles_are_checked_wherever_they_lie(tmp_path):
    "Beside no list of tiles, the package's tells which tiles there are"
    test = read_manifest().query('set=="test"').file.iloc[0]
    (tmp_path/'c.csv').write_text(f'file,labels,doubt\n{test},Car,\n')
    with pytest.raises(DataError) as e: read_complete(tmp_path/'c.csv')
    one_line(e, 'c.csv, line 2', 'test tile')


# What is known, by source

@pytest.fixture
def toy_mode(tiles, monkeypatch):
    "A folder of drawn tiles of one's own, found by `load_tiles('toy')`; its labels"
    (tiles.parent/'home').mkdir()
    tiles.rename(tiles.parent/'home'/'toy')
    monkeypatch.setenv('RECAPTCHA_DATA', str(tiles.parent/'home'))
    return tiles.parent/'home'/'toy'/'labels'


def test_what_a_source_does_not_say_is_unknown(toy_mode):
    plain,other,_ = three(load_tiles('toy'))
    (toy_mode/'checked.csv').write_text(f'file,present,absent\n{plain},Car,Palm\n')
    (toy_mode/'complete.csv').write_text(f'file,labels,doubt\n{plain},Car;Bus,Palm\n')
    known = {source: load_tiles('toy', labels=source).set_index('file') for source in ('folder','rounds','complete')}
    said = {source: (t.present[plain], t.absent[plain]) for source,t in known.items()}
    assert said['folder']==([],[]) and said['rounds']==(['Car'],['Palm'])
    present,absent = said['complete']
    assert present==['Car','Bus'] and set(absent)==set(CLASSES)-{'Car','Bus','Palm'} # what is in doubt is not absent
    for table in known.values():
        assert table.present[other]==[] and table.absent[other]==[]
        test = table[table.set=='test']
        assert not test.present.map(len).any() and not test.absent.map(len).any()
    small = known['rounds'][known['rounds'].set == 'small']
    assert all(
        set(p) == set(ls) and len(p) + len(a) == len(CLASSES)
        for p, a, ls in zip(small.present, small.absent, small.labels)
    )


def test_without_a_source_the_table_is_as_it_was(toy_mode):
    plain = load_tiles('toy')
    assert not {'present','absent'}&set(plain)
    for source in ('folder','rounds','complete'):
        pd.testing.assert_frame_equal(load_tiles('toy', labels=source)[plain.columns], plain)
    with pytest.raises(DataError, match='folder, rounds, complete'): load_tiles('toy', labels='guesses')


def test_cells_lie_beside_the_tiles(toy_mode):
    cells = load_cells('toy')
    assert set(cells.file)<=set(training_tiles(load_tiles('toy')).file)
    assert {k for row in cells.required+cells.optional for k in row}==set(range(1, 17))


def test_drawn_tiles_of_before_are_drawn_again(tmp_path, monkeypatch):
    "They have no complete labels; the tiles themselves stay the same"
    monkeypatch.setenv('RECAPTCHA_DATA', str(tmp_path))
    monkeypatch.setattr('recaptcha.collect.make_tiles', lambda root, n: make_tiles(root, n=60))
    whole = load_tiles('toy')
    (tmp_path/'toy'/'labels'/'complete.csv').unlink()
    pd.testing.assert_frame_equal(load_tiles('toy'), whole)
    assert len(known_objects('complete', tmp_path/'toy'/'labels'))==(whole.set!='test').sum()


# The fifth that is validated on

def test_a_fifth_is_validated_on_and_copies_stay_together():
    tiles = training_tiles(read_manifest())
    valid = validation_fifth(tiles)
    assert valid.dtype==bool and .19<valid.mean()<.21
    for group,sides in pd.Series(valid).groupby(tiles.duplicate_group):
        assert not group or sides.nunique()==1
    some = tiles.sample(500, random_state=0)
    assert (validation_fifth(some) == valid[some.index]).all()  # each tile keeps its side, whatever is beside it
    assert dict(zip(tiles.file, valid))['Car/Car (1000)'] == (
        int(hashlib.sha256(b'Car/Car (1000)').hexdigest()[:8], 16) % 5 == 0
    )


def test_published_complete_labels_and_cells():
    manifest = training_tiles(read_manifest())
    complete,cells = read_complete(LABELS_DIR/'complete.csv'),read_cells(LABELS_DIR/'cells.csv')
    assert len(complete)>=11_000 and set(complete.index)<=set(manifest.file)
    copies = complete.join(manifest.set_index('file').duplicate_group).query('duplicate_group!=""')
    assert (copies.labels.map(frozenset).groupby(copies.duplicate_group).nunique()==1).all()
    assert set(cells.file)<=set(complete.index)


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
    chunk = lambda kind, body: struct.pack('>I', len(body)) + kind + body + struct.pack('>I', zlib.crc32(kind + body))
    p.write_bytes(
        b'\x89PNG\r\n\x1a\n'
        + chunk(b'IHDR', struct.pack('>IIBBBBB', 60_000, 60_000, 8, 2, 0, 0, 0))
        + chunk(b'IDAT', zlib.compress(b''))
        + chunk(b'IEND', b'')
    )


def large(p):
    Image.new('1', (6000, 6000)).save(p, 'PNG')  # under Pillow's own limit, over ours


@pytest.mark.parametrize('make', [zero_bytes, truncated, text, animated, folder, missing, bomb, large])
def test_picture_without_meaning(tmp_path, make):
    make(tmp_path/'x.png')
    with pytest.raises(DataError) as e: open_tile(tmp_path/'x.png')
    one_line(e, 'x.png')
