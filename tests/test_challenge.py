"""Answering from pictures: whatever a person hands over gets an answer or one clear line, and the other pictures are still answered."""
import csv, hashlib, json, os, random, subprocess, sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from PIL import Image

from recaptcha.challenge import Network, answer, model_path, target_class
from recaptcha.grid import any_kind, compose, find_grid
from recaptcha.pictures import DataError, open_tile
from recaptcha.toy import CLASSES

from notebook_kit import ROOT


@pytest.fixture(scope='module')
def tiles(toy_root): return [open_tile(p) for p in sorted(toy_root.rglob('*.png'))[:16]]


@pytest.fixture(scope='module')
def challenge(tiles): return compose(tiles[:9], size=100, gutter=4, margin=7, header=90, footer=50)


def predict(*args):
    "The command in a process of its own, as a person runs it: exit code, what it says, what it complains of"
    p = subprocess.run([sys.executable, '-m', 'recaptcha.challenge', *map(str, args)], capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert 'Traceback' not in p.stderr, p.stderr
    return p.returncode, p.stdout, p.stderr.splitlines()


def one_line(*args, code=1):
    got, said, complaints = predict(*args)
    assert got==code and len(complaints)==1 and complaints[0].startswith('recaptcha-predict: '), (got, said, complaints)
    return complaints[0]


# What is no picture of a challenge

def jpeg(im, **kwargs): return lambda path: im.save(path, 'JPEG', **kwargs)


def write_bad(folder, tiles):
    "One file for each thing that may be wrong with a picture: its name, and what must be said of it"
    im, _ = compose(tiles[:9], size=100, gutter=4)
    (folder/'text.png').write_text('a letter, not a picture')
    (folder/'empty.png').write_bytes(b'')
    im.save(folder/'whole.png'); data = (folder/'whole.png').read_bytes(); (folder/'whole.png').unlink()
    (folder/'truncated.png').write_bytes(data[:len(data)//2])
    Image.new('RGB', (1,1)).save(folder/'one.png')
    Image.new('1', (20_000,20_000)).save(folder/'huge.png')
    im.save(folder/'animated.gif', save_all=True, append_images=[im.rotate(90)])
    tiles[0].resize((400,300), Image.BICUBIC).save(folder/'photo.png')
    im.rotate(17, expand=True, fillcolor='white').save(folder/'tilted.png')
    return {'text.png': 'not a readable picture', 'empty.png': '0 bytes', 'truncated.png': 'not a readable picture', 'one.png': 'no grid', 'huge.png': 'pixels',
            'animated.gif': 'animated', 'photo.png': 'no grid', 'tilted.png': 'no grid'}


def test_bad_pictures_get_a_line_each_and_the_good_one_its_answer(tmp_path, tiles, challenge):
    bad = write_bad(tmp_path, tiles)
    challenge[0].save(tmp_path/'good.png'); (tmp_path/'notes.txt').write_text('not a picture by its name, so passed over')
    code, said, complaints = predict(tmp_path, '--target', 'car', '--json')
    rows = {os.path.basename(r['picture']): r for r in map(json.loads, said.splitlines())}
    assert code==1 and len(complaints)==len(bad) and set(rows)=={*bad, 'good.png'}
    assert len(rows['good.png']['probabilities'])==9 and rows['good.png']['grid']=='3x3'
    for name, what in bad.items():
        line = next(c for c in complaints if name in c)
        assert what in line and line.count('\n')==0 and what in rows[name]['error']


@pytest.mark.parametrize('save', [
    lambda im, p: im.convert('RGBA').save(p/'c.png'),
    lambda im, p: im.convert('P', palette=Image.ADAPTIVE, colors=256).save(p/'c.png'),
    lambda im, p: jpeg(im, quality=92)(p/'c.jpg'),
    lambda im, p: im.convert('CMYK').save(p/'c.jpg', quality=95),
    lambda im, p: im.save(p/'c.webp', lossless=True)], ids=['alpha', 'palette', 'jpeg', 'cmyk', 'webp'])
def test_other_ways_to_keep_a_picture(tmp_path, challenge, save):
    save(challenge[0], tmp_path); path, = tmp_path.iterdir()
    g, probs = answer(open_tile(path), Network())
    assert np.abs(np.subtract(g.boxes(), challenge[1].boxes())).max()<=1
    assert np.abs(probs-answer(challenge[0], Network())[1]).mean()<.05


def test_sixteen_bits_and_rotation_by_exif(tmp_path, challenge):
    grey = np.asarray(challenge[0].convert('L')).astype(np.uint16)*257
    Image.fromarray(grey).save(tmp_path/'deep.png')
    assert np.abs(np.subtract(answer(open_tile(tmp_path/'deep.png'), Network())[0].boxes(), challenge[1].boxes())).max()<=1
    turned = challenge[0].rotate(90, expand=True); exif = Image.Exif(); exif[0x0112] = 6 # a camera held on its side: turn by 270 degrees to see it upright
    turned.save(tmp_path/'phone.jpg', quality=95, exif=exif)
    assert open_tile(tmp_path/'phone.jpg').size==challenge[0].size
    assert answer(open_tile(tmp_path/'phone.jpg'), Network())[0].n==3


def test_targets():
    assert [target_class(t) for t in ('Traffic Light', 'a bus', 'fire hydrants', 'Fahrräder', 'FODGÆNGERFELTER')]==['Traffic Light', 'Bus', 'Hydrant', 'Bicycle', 'Crosswalk']
    assert all(target_class(c)==c for c in CLASSES)
    for wrong in ('', '   ', 'zebra', 'cars and buses', '车', 'carport'):
        with pytest.raises(DataError, match='target'): target_class(wrong)


def test_commands_that_make_no_sense(tmp_path, challenge):
    challenge[0].save(tmp_path/'c.png'); picture = tmp_path/'c.png'
    assert 'empty' in one_line(picture, '--target', '', code=2) and 'Bicycle' in one_line(picture, '--target', 'unicorns', code=2)
    assert 'no such file' in one_line(tmp_path/'none.png', '--target', 'car')
    assert 'no model there' in one_line(picture, '--target', 'car', '--model', tmp_path/'none.onnx')
    assert 'not written' in one_line(picture, '--target', 'car', '--save', tmp_path/'none'/'a.png')
    assert 'no such folder' in one_line('--tiles', tmp_path/'none', '--csv', tmp_path/'o.csv')
    (tmp_path/'nothing').mkdir()
    assert 'no pictures' in one_line('--tiles', tmp_path/'nothing', '--csv', tmp_path/'o.csv')
    assert 'no pictures' in one_line(tmp_path/'nothing', '--target', 'car')
    assert predict()[0]==2 and predict(picture)[0]==2 and predict('--tiles', tmp_path)[0]==2


def test_answer_is_drawn_and_printed(tmp_path, challenge):
    challenge[0].save(tmp_path/'c.png')
    code, said, _ = predict(tmp_path/'c.png', '--target', 'Select all images with cars', '--save', tmp_path/'a.png')
    assert code==0 and Image.open(tmp_path/'a.png').size==challenge[0].size
    lines = said.splitlines()
    assert len(lines)==1+3+9 and lines[4].startswith("Image: 1, 1.jpg Prediction: [") and 'Car Probability: 0.' in lines[4]+lines[12]
    clicks = [int(w) for w in lines[0].rpartition('tile ')[2].split(', ')] if 'no tile' not in lines[0] else []
    assert [n for n in range(1, 10) if f'[{n:>2}]' in said]==clicks


def test_table_of_tiles(tmp_path, tiles):
    folder = tmp_path/'tiles'; (folder/'Car').mkdir(parents=True)
    for i, t in enumerate(tiles[:5]): t.resize((100,100) if i%2 else t.size).save(folder/'Car'/f'Car ({i}).png')
    (folder/'Car'/'readme.txt').write_text('not a tile'); (folder/'broken.jpg').write_bytes(b'x')
    code, _, complaints = predict('--tiles', folder, '--csv', tmp_path/'out.csv')
    rows = list(csv.DictReader(open(tmp_path/'out.csv')))
    assert code==1 and sum('broken.jpg' in c for c in complaints)==1
    assert list(rows[0])==['file', *CLASSES] and [r['file'] for r in rows]==[f'Car/Car ({i})' for i in range(5)]
    whole = Network().probs(np.asarray(open_tile(folder/'Car'/'Car (3).png'))[None])[0]
    assert np.abs(whole-[float(rows[3][c]) for c in CLASSES]).max()<.02 # eight bits round a little differently in another batch


def test_several_answers_are_saved_and_no_picture_is_written_over(tmp_path, challenge):
    a, b = tmp_path/'a', tmp_path/'b'; a.mkdir(); b.mkdir(); out = tmp_path/'out'
    for path in (a/'c.png', b/'c.png', b/'c.jpg', b/'d.png'): challenge[0].save(path)
    before = (a/'c.png').read_bytes()
    assert predict(a, b, '--target', 'car', '--save', out)[0]==0
    assert sorted(p.name for p in out.iterdir())==['a-c-png.png', 'b-c-jpg.png', 'b-c-png.png', 'd.png']
    code, said, complaints = predict(a/'c.png', '--target', 'car', '--save', a/'c.png')
    assert code==1 and 'the picture itself' in complaints[0] and said and (a/'c.png').read_bytes()==before # answered all the same
    assert predict(a, '--target', 'car', '--save', a)[0]==1 and (a/'c.png').read_bytes()==before
    (tmp_path/'file').write_text('in the way')
    assert 'file' in one_line(a, b, '--target', 'car', '--save', tmp_path/'file')
    assert 'not written' in one_line(a, '--target', 'car', '--save', tmp_path/'o.psd')


def test_two_tiles_of_one_name_have_one_row(tmp_path, tiles):
    (tmp_path/'t').mkdir(); tiles[0].save(tmp_path/'t'/'x.png'); tiles[1].save(tmp_path/'t'/'x.jpg')
    code, _, complaints = predict('--tiles', tmp_path/'t', '--csv', tmp_path/'o.csv')
    assert code==1 and 'x.png' in complaints[0] and len((tmp_path/'o.csv').read_text().splitlines())==2
    assert 'not written' in one_line('--tiles', tmp_path/'t', '--csv', tmp_path/'none'/'o.csv')


@pytest.mark.skipif(not os.environ.get('RECAPTCHA_CHALLENGES'), reason='RECAPTCHA_CHALLENGES names no folder of real challenges')
def test_grids_of_real_challenges():
    folder = Path(os.environ['RECAPTCHA_CHALLENGES'])
    for name in {r['image'] for r in csv.DictReader(open(folder/'answers.csv'))}: assert answer(open_tile(folder/name), Network())[0].n==3


def test_grids_are_found_in_composed_pictures():
    figure = Image.open(ROOT/'images'/'demo'/'tiles.webp').convert('RGB')
    photos = [figure.crop((x, y, x+120, y+120)) for y in range(0, figure.height, 120) for x in range(0, figure.width, 120)]
    wrong = []
    for seed in range(80):
        rng = random.Random(40_000+seed); kind = any_kind(rng); cut = kind['n']==4 and kind['gutter']>0 and rng.random()<.5
        im, g = compose(rng.sample(photos, 1 if cut else kind['n']**2), **kind); found = find_grid(im)
        if found is None or found.n!=g.n or np.abs(np.subtract(found.boxes(), g.boxes())).max()>max(2, .04*g.size): wrong.append(seed)
    assert len(wrong)<=2, wrong


# The model

def test_damaged_and_foreign_models(tmp_path):
    data = model_path().read_bytes(); at = data.index(b'thresholds')+16
    flip = lambda at: data[:at]+bytes([data[at]^1])+data[at+1:]
    for name, content, what in (('cut', data[:-5000], ''), ('weights', flip(len(data)//2), ''), ('thresholds', flip(at), 'damaged'),
                                ('format', data.replace(b'format\x12\x011', b'format\x12\x019'), "format '9'"), ('empty', b'', 'ONNX Runtime'), ('text', b'no model', 'ONNX Runtime')):
        (tmp_path/name).write_bytes(content)
        with pytest.raises(DataError, match=what) as e: Network(tmp_path/name)
        assert '\n' not in str(e.value) and str(tmp_path/name) in str(e.value)


def test_released_model_is_small_and_says_what_it_is():
    net = Network()
    assert model_path().stat().st_size<=4_000_000 and net.classes==CLASSES and ((net.thresholds>0)&(net.thresholds<1)).all()
    assert {'version', 'run', 'preprocessing', 'precision', 'calibration', 'licence', 'dataset'}<=set(net.about) and net.about['precision']=='int8'
    beside = json.loads(model_path().with_suffix('.json').read_text()) # what the demo page reads
    assert beside['sha256']==hashlib.sha256(model_path().read_bytes()).hexdigest() and beside['sha256'] in (model_path().parent/'README.md').read_text()
    assert beside['classes']==net.classes and np.allclose(beside['thresholds'], net.thresholds) and beside['run']==net.about['run']


@pytest.mark.skipif(not os.path.exists('/proc/self/status'), reason='peak memory is read from Linux')
def test_answering_needs_no_torch_and_little_memory(tmp_path, challenge):
    challenge[0].save(tmp_path/'c.png')
    code = ("import sys\nfrom recaptcha.challenge import main\ntry: main([sys.argv[1], '--target', 'car'])\nexcept SystemExit as e: assert not e.code\n"
            "heavy = {'torch','fastai','pandas','matplotlib','scipy'}&set(sys.modules); assert not heavy, heavy\n"
            "print('kB', *[l.split()[1] for l in open('/proc/self/status') if l.startswith('VmHWM')])") # the process's own peak, not its parent's
    p = subprocess.run([sys.executable, '-c', code, tmp_path/'c.png'], capture_output=True, text=True, cwd=ROOT)
    assert p.returncode==0, p.stderr
    assert 0<int(p.stdout.split('kB')[1])<250_000


# Fuzz: 10,000 pictures and files of every sort; nothing but a grid, None or a DataError may come out

@settings(max_examples=4000, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32-1), st.sampled_from(['noise', 'plain', 'steps', 'lines']), st.sampled_from([None, 3, 4]))
def test_fuzz_grid_finder(width, height, seed, kind, n):
    if seed%3: width, height = (40+width, 40+height) if seed%97 else (20*width, 20*height) # large enough to be looked at; some larger than what is looked at
    rng = np.random.default_rng(seed)
    if kind=='noise': a = rng.integers(0, 256, (height, width, 3))
    elif kind=='plain': a = np.full((height, width, 3), rng.integers(256))
    elif kind=='steps': a = np.kron(rng.integers(0, 256, (4, 4, 3)), np.ones((-(-height//4), -(-width//4), 1)))[:height,:width]
    else: a = np.zeros((height, width, 3)); a[::rng.integers(1, 40)] = 255; a[:,::rng.integers(1, 40)] = 255
    found = find_grid(Image.fromarray(a.astype(np.uint8)), n)
    if found is not None:
        boxes = np.array(found.boxes())
        assert found.n in (3, 4) and n in (None, found.n) and len(boxes)==found.n**2
        assert boxes.min()>=-2 and (boxes[:,2]<=width+2).all() and (boxes[:,3]<=height+2).all() and (boxes[:,2]>boxes[:,0]).all()


@pytest.fixture(scope='module')
def seeds(tmp_path_factory, challenge):
    "Small files of several formats, to be damaged"
    folder = tmp_path_factory.mktemp('seeds'); small = challenge[0].resize((24,30)); out = []
    for name in ('a.png', 'a.jpg', 'a.gif', 'a.webp', 'a.bmp', 'a.tiff'): small.save(folder/name); out.append((folder/name).read_bytes())
    return out


@pytest.mark.filterwarnings("ignore")  # Pillow warns of damaged TIFF
@settings(max_examples=6500, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(st.integers(0, 5), st.integers(0, 2**32-1))
def test_fuzz_loader(tmp_path_factory, seeds, which, seed):
    rng = np.random.default_rng(seed); data = bytearray(seeds[which])
    for _ in range(rng.integers(1, 12)):
        if len(data)<2: break
        at = int(rng.integers(len(data)))
        match rng.integers(4):
            case 0: data[at] = int(rng.integers(256))
            case 1: del data[at:at+int(rng.integers(1, 40))]
            case 2: data[at:at] = rng.bytes(int(rng.integers(1, 20)))
            case 3: data[at:at+4] = (0xffffffff).to_bytes(4, 'big')
    path = tmp_path_factory.getbasetemp()/'fuzzed.png'; path.write_bytes(bytes(data))
    try: im = open_tile(path)
    except DataError as e: assert '\n' not in str(e) and str(path) in str(e)
    else: assert im.mode=='RGB' and min(im.size)>=1
