"""Sweeps over methods and seeds: a kill, a change of settings, a run that fails; a loss's memory across a resume; two processes against one."""
import csv, os, signal, subprocess, sys, time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from test_train import toy_home # noqa: F401, a fixture that runs by itself

ARGS = ['--data', 'toy', '--size', '32', '--epochs', '2']
COMMAND = [sys.executable, '-c', 'from recaptcha.runs import main; main()']


def start(folder, *args, before=COMMAND):
    return subprocess.Popen([*before, *ARGS, '--runs', str(folder/'runs'), '--results', str(folder/'runs.csv'), *args],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)


def rows(folder): return list(csv.DictReader(open(folder/'runs.csv')))


def wait_for(condition, seconds=240):
    end = time.time()+seconds
    while not condition():
        assert time.time()<end, 'waited too long'
        time.sleep(.05)


def test_sweep_survives_a_kill_and_skips_what_is_done(tmp_path):
    sweep = ['--method', 'baseline', 'll_r', '--seed', '1', '2', '--jobs', '2']
    p = start(tmp_path, *sweep)
    wait_for(lambda: (tmp_path/'runs.csv').exists()); os.killpg(p.pid, signal.SIGKILL); p.wait()
    done = rows(tmp_path); assert 1<=len(done)<4
    p = start(tmp_path, *sweep); out, err = p.communicate(timeout=400)
    assert p.returncode==0, err
    assert f'{len(done)} of 4 runs are in' in out and '100%' in err # the bar ends full
    after = rows(tmp_path)
    assert after[:len(done)]==done and sorted((r['method'], r['seed']) for r in after)==[(m, s) for m in ('baseline','ll_r') for s in '12']
    p = start(tmp_path, *sweep); out, _ = p.communicate(timeout=100)
    assert p.returncode==0 and '4 of 4 runs are in' in out and rows(tmp_path)==after

    p = start(tmp_path, *sweep, '--lr', '.02'); _, err = p.communicate(timeout=100) # the same folders, other settings
    assert p.returncode==1 and 'another configuration (lr 0.01)' in err and 'Traceback' not in err and rows(tmp_path)==after


def test_a_run_that_fails_takes_no_other_with_it(tmp_path):
    (tmp_path/'runs').mkdir(); bad = tmp_path/'runs'/'baseline-mobilenet_v2-32-toy-e1+2-s1'; bad.mkdir(); (bad/'model.safetensors').mkdir()
    p = start(tmp_path, '--seed', '1', '2', '--jobs', '2'); _, err = p.communicate(timeout=400)
    assert p.returncode==1 and 'baseline-mobilenet_v2-32-toy-e1+2-s1/log.txt' in err.splitlines()[-1]
    assert [r['seed'] for r in rows(tmp_path)]==['2']


@pytest.mark.parametrize('method', ['em_apl', 'role']) # a buffer and a parameter that remember every tile
def test_memory_of_a_loss_survives_a_kill(tmp_path, method):
    whole, killed = tmp_path/'whole', tmp_path/'killed'
    args = ['--method', method, '--epochs', '6']
    a, b = (start(f, *args) for f in (whole, killed))
    checkpoint = lambda: next((killed/'runs').glob('*/checkpoint.pt'), None)
    wait_for(lambda: checkpoint() and (c := torch.load(checkpoint(), weights_only=True))['phase']==1 and c['epoch']>=2)
    os.killpg(b.pid, signal.SIGKILL); b.wait()
    _, err = a.communicate(timeout=240); assert a.returncode==0, err
    b = start(killed, *args); out, err = b.communicate(timeout=240)
    assert b.returncode==0 and 'going on after epoch' in out, err
    a, b = (load_file(next((f/'runs').glob('*/model.safetensors'))) for f in (whole, killed))
    assert all(torch.equal(a[k], b[k]) for k in a)


def accelerate(n):
    "`accelerate launch` as the help of `recaptcha-train` says it; it starts several processes for several GPUs only, and they find none"
    script = Path(sys.executable).with_name('recaptcha-train')
    return [sys.executable, '-m', 'accelerate.commands.launch', '--multi_gpu', '--num_processes', str(n), '--num_machines', '1', '--mixed_precision', 'no',
            '--dynamo_backend', 'no', '--main_process_port', '0', str(script)]


def test_two_processes_equal_one_within_the_spread(tmp_path):
    spread = ['--epochs', '6', '--freeze-epochs', '1', '--bs', '16']
    ones = []
    for seed in '123':
        p = start(tmp_path/'one', *spread, '--seed', seed); _, err = p.communicate(timeout=240); assert p.returncode==0, err
    ones = [float(r['valid_mAP']) for r in rows(tmp_path/'one')]
    p = start(tmp_path/'two', *spread, '--seed', '1', before=accelerate(2)); out, err = p.communicate(timeout=300)
    assert p.returncode==0, err
    two, = rows(tmp_path/'two')
    assert min(ones)-2*(max(ones)-min(ones)) <= float(two['valid_mAP']) <= max(ones)+2*(max(ones)-min(ones))
    assert float(two['mAP'])>.15 # it has learnt something


@pytest.mark.parametrize('args, word', [(['--seed', '1', '2'], 'one run'), (['--method', 'role'], 'one process')])
def test_what_several_processes_refuse(tmp_path, args, word):
    p = start(tmp_path, *args, before=accelerate(2)); _, err = p.communicate(timeout=200)
    assert p.returncode!=0 and word in err


def test_unknown_method_names_those_there_are(tmp_path):
    p = start(tmp_path, '--method', 'magic'); _, err = p.communicate(timeout=100)
    assert p.returncode==1 and 'magic' in err and 'ls_v2' in err and 'Traceback' not in err
