"""Training from the command line: a kill and a resume, what is written, what is refused; and the CPU path against fp32."""
import csv, json, os, signal, subprocess, sys, time

import numpy as np
import pytest
import torch
from fastai.vision.all import BCEWithLogitsLossFlat, Learner, set_seed
from safetensors.torch import load_file

from recaptcha import fast, learner
from recaptcha.data import DataError, load_tiles, training_tiles
from recaptcha.fast import FastCPU, tile_dls
from recaptcha.metrics import mean_ap, prior_thresholds, report

ARGS = ['--data', 'toy', '--size', '32', '--epochs', '3', '--seed', '5']


@pytest.fixture(autouse=True)
def toy_home(toy_root, tmp_path_factory, monkeypatch):
    home = tmp_path_factory.mktemp('home', numbered=True); (home/'toy').symlink_to(toy_root)
    monkeypatch.setenv('RECAPTCHA_DATA', str(home)); monkeypatch.setenv('OMP_NUM_THREADS', '1')
    monkeypatch.delenv('RECAPTCHA_WEIGHTS', raising=False)
    monkeypatch.setenv('TORCH_HOME', str(home/'torch')); monkeypatch.setenv('https_proxy', 'http://127.0.0.1:9') # no download in a test


def start(folder, *args):
    return subprocess.Popen([sys.executable, '-c', 'from recaptcha.runs import main; main()', *ARGS, '--runs', str(folder/'runs'), '--results', str(folder/'runs.csv'), *args],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_killed_run_goes_on_to_the_same_result(tmp_path):
    whole, killed = tmp_path/'whole', tmp_path/'killed'
    p = start(whole); out, err = p.communicate(timeout=300)
    assert p.returncode==0, err
    assert 'random ones' in err # no weights at hand, and it says so

    p = start(killed)
    checkpoint = lambda: next((killed/'runs').glob('*/checkpoint.pt'), None)
    for _ in range(3000):
        if checkpoint() and torch.load(checkpoint(), weights_only=True)['phase']==1: break # in the middle of the second phase
        time.sleep(.05)
    p.send_signal(signal.SIGKILL); p.wait()
    assert checkpoint() and not (killed/'runs.csv').exists()
    p = start(killed); out, err = p.communicate(timeout=300)
    assert p.returncode==0 and 'going on after epoch' in out, err

    a, b = (load_file(next((f/'runs').glob('*/model.safetensors'))) for f in (whole, killed))
    assert all(torch.equal(a[k], b[k]) for k in a)
    a, b = (list(csv.DictReader(open(f/'runs.csv'))) for f in (whole, killed))
    same = [k for k in a[0] if k!='seconds']
    assert len(b)==1 and [a[0][k] for k in same]==[b[0][k] for k in same]
    assert list(a[0])[:14]=='method,arch,size,epochs,seed,data,device,seconds,commit,mAP,F1,accuracy_multi,solved,solved_1err'.split(',')
    assert not checkpoint() # a finished run leaves its weights, not its checkpoint

    p = start(killed); out, _ = p.communicate(timeout=300) # a third time: nothing to do, no second row
    assert 'trained already' in out and len(list(csv.DictReader(open(killed/'runs.csv'))))==1


def test_checkpoint_of_another_configuration_is_refused(tmp_path):
    folder = learner.run_folder(dict(method='baseline', arch='mobilenet_v2', size=32, data='toy', freeze_epochs=1, epochs=3, seed=5), tmp_path/'runs')
    folder.mkdir(parents=True); torch.save(dict(config=dict(lr=7.), phase=0, epoch=1, seconds=0.), folder/'checkpoint.pt')
    p = start(tmp_path); _, err = p.communicate(timeout=300)
    assert p.returncode==1 and 'another configuration' in err and 'Traceback' not in err


@pytest.mark.parametrize('args, word', [(['--arch', 'resnet99'], 'resnet99'), (['--epochs', '0'], 'epochs'), (['--bs', '1'], 'bs'), (['--lr', 'nan'], 'lr'), (['--size', '8'], 'size')])
def test_bad_arguments(tmp_path, args, word):
    p = start(tmp_path, *args); _, err = p.communicate(timeout=300)
    assert p.returncode!=0 and word in err.splitlines()[-1] and 'Traceback' not in err
    assert not (tmp_path/'runs.csv').exists()


def test_table_of_other_columns_is_refused_before_training(tmp_path):
    (tmp_path/'runs.csv').write_text('a,b\n1,2\n')
    p = start(tmp_path); _, err = p.communicate(timeout=300)
    assert p.returncode==1 and 'runs.csv' in err and 'columns' in err
    assert (tmp_path/'runs.csv').read_text()=='a,b\n1,2\n' and not list((tmp_path/'runs').glob('*/model.safetensors'))


def test_no_test_tile_is_trained_on(toy_root):
    table = load_tiles('toy'); dls = tile_dls(training_tiles(table), 32, 16)
    used = set(dls.train_ds.items.file) | set(dls.valid_ds.items.file)
    assert used and not used & set(table.file[table.set=='test'])
    a, b = (set(ds.items.duplicate_group)-{''} for ds in (dls.train_ds, dls.valid_ds))
    assert a and not a & b


def test_falls_back_without_bf16_and_says_so_once(monkeypatch, capsys):
    monkeypatch.setattr(fast, 'cpu_has_bf16', lambda: False); monkeypatch.setattr(FastCPU, 'said', False)
    dls = tile_dls(training_tiles(load_tiles('toy')), 32, 16)
    for _ in range(2):
        learn = Learner(dls, torch.nn.Sequential(torch.nn.Conv2d(3,11,3,2), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()), BCEWithLogitsLossFlat(), cbs=FastCPU())
        with learn.no_bar(), learn.no_logging(): learn.fit(1, 1e-3)
        assert not learn.fast_cpu.bf16
    assert capsys.readouterr().out.count('no bf16')==1


def test_bf16_is_within_the_spread_of_fp32():
    "On drawn tiles: the means over seeds differ by less than twice the spread that fp32 itself has"
    table = load_tiles('toy'); test = table[table.set=='test']; truth = fast.encode_labels(test.labels).numpy()
    def score(bf16, seed):
        set_seed(seed); dls = tile_dls(training_tiles(table), 48, 16); set_seed(seed)
        net = torch.nn.Sequential(*[l for i,o in ((3,16),(16,32),(32,64)) for l in (torch.nn.Conv2d(i,o,3,2,1), torch.nn.BatchNorm2d(o), torch.nn.ReLU())],
                                  torch.nn.AdaptiveMaxPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64,11))
        learn = Learner(dls, net, BCEWithLogitsLossFlat(), cbs=FastCPU(bf16))
        with learn.no_bar(), learn.no_logging(): learn.fit_one_cycle(6, 1e-2)
        return mean_ap(learner.predict_probs(learn, test.reset_index(drop=True)), truth)
    fp32, bf16 = (np.array([score(b, s) for s in range(4)]) for b in (False, True))
    assert fp32.mean()>.2 # it has learnt something
    assert abs(fp32.mean()-bf16.mean())<2*max(fp32.std(ddof=1), .01)


def test_scores_refuse_what_is_no_probability():
    truth = np.zeros((3,11), dtype=int)
    for probs, word in ((np.full((3,11), np.nan), 'NaN'), (np.zeros((2,11)), 'tiles'), (np.zeros(3), 'tiles')):
        with pytest.raises(ValueError, match=word): report(probs, truth)
    with pytest.raises(ValueError, match='0 or 1'): report(np.zeros((3,11)), truth+2)
