"""Losses for missing labels: what they refuse, what they answer at the edges, and whether they beat assume-negative on
toy tiles where they should.
"""
import numpy as np
import pytest
import torch

from recaptcha.losses import (
    LOSSES,
    AssumeNegative,
    Asymmetric,
    EntropyMax,
    GeneralizedRobust,
    LabelSmoothing,
    LargeLoss,
    PartialLoss,
    RegularizedEstimation,
    WeakNegative,
)

ALL = dict(
    an=AssumeNegative,
    an_ls=LabelSmoothing,
    wan=WeakNegative,
    em=EntropyMax,
    em_apl=lambda: EntropyMax(tiles=4),
    ll_r=LargeLoss,
    ll_ct=lambda: LargeLoss('correct'),
    ll_cp=lambda: LargeLoss('permanent', tiles=4),
    gr=GeneralizedRobust,
    asl=Asymmetric,
    focal=lambda: Asymmetric(2, 2, 0),
    role=lambda: RegularizedEstimation(4),
)


@pytest.fixture(params=ALL)
def loss(request):
    made = ALL[request.param]()
    made.places, made.epoch = torch.arange(4), 3
    return made


@pytest.mark.parametrize(
    'logits, targets, word',
    [
        (torch.full((4, 11), float('nan')), torch.zeros(4, 11), 'logits'),
        (torch.full((4, 11), float('inf')), torch.zeros(4, 11), 'logits'),
        (torch.zeros(4, 11), torch.full((4, 11), float('nan')), 'targets'),
        (torch.zeros(4, 11), torch.full((4, 11), 2.0), 'targets'),
        (torch.zeros(4, 11), torch.full((4, 11), -0.1), 'targets'),
        (torch.zeros(4, 11), torch.zeros(4, 10), 'shape'),
        (torch.zeros(11), torch.zeros(11), 'shape'),
        (torch.zeros(0, 11), torch.zeros(0, 11), 'shape'),
    ],
)
def test_bad_input_is_refused(loss, logits, targets, word):
    with pytest.raises(ValueError, match=word): loss(logits, targets)


def test_what_nobody_knows_takes_no_part(loss):
    "Neither in the loss nor in its gradient, whatever the logit; the known ones count as they would by themselves"
    loss.skip_nan = True
    y = torch.eye(4, 11)
    y[0,3] = y[2,5] = float('nan')
    z = torch.zeros(4, 11, requires_grad=True)
    loss(z, y).backward()
    assert torch.isfinite(z.grad).all() and (z.grad!=0).any()
    if not isinstance(loss, RegularizedEstimation): # whose count of a tile's objects goes over all of them
        assert not z.grad[y.isnan()].any()
    nothing = loss(torch.zeros(4, 11), torch.full((4,11), float('nan')))
    assert nothing==0


def test_known_targets_cost_the_same_whether_others_may_be_unknown_or_not():
    z, y = torch.randn(4, 11), torch.eye(4, 11)
    plain, lenient = AssumeNegative(), AssumeNegative()
    lenient.skip_nan = True
    assert lenient(z, y)==plain(z, y)
    y[:,1:] = float('nan')
    assert torch.isclose(lenient(z, y), plain(z[:,:1], torch.eye(4, 11)[:,:1]))


def test_a_batch_without_any_positive_has_a_finite_loss_and_gradient(loss):
    z = torch.randn(4, 11, requires_grad=True)
    loss(z, torch.zeros(4, 11)).backward()
    assert torch.isfinite(z.grad).all()


def test_extreme_logits_stay_finite(loss):
    z = torch.tensor([[-1e4, 1e4] + [0.0] * 9] * 4, requires_grad=True)
    value = loss(z, torch.eye(4, 11))
    value.backward()
    assert torch.isfinite(value) and torch.isfinite(z.grad).all()


def test_a_loss_in_a_plain_loop_learns(loss):
    torch.manual_seed(0)
    net = torch.nn.Linear(6, 11)
    x = torch.randn(4, 6)
    y = torch.eye(4, 11)
    opt = torch.optim.SGD([*net.parameters(), *loss.parameters()], lr=0.5)
    for _ in range(600):
        opt.zero_grad()
        loss(net(x), y).backward()
        opt.step()
    assert torch.sigmoid(net(x))[y == 1].min() > 0.7


def test_every_named_method_makes_a_loss_or_a_callback():
    class Few: train_ds = [0]*4
    class Run: freeze_epochs, epochs = 1, 5
    for name, make in LOSSES.items():
        made = make(Few, Run)
        assert isinstance(made.get('loss_func'), PartialLoss) or 'cbs' in made, name


def test_large_loss_doubts_what_it_should_on_labels_that_were_hidden():
    """Points on a line with two overlapping classes; half of the second class's labels are hidden where both are there.
    AN learns that the second is absent there half the time; rejecting and correcting large losses find hidden labels
    that AN calls absent.
    """
    rng = np.random.default_rng(0)
    n = 3000
    x = torch.tensor(rng.normal(size=(n, 2)), dtype=torch.float)
    truth = torch.stack([x[:, 0] > 0, x[:, 1] > 0], 1).float()
    seen = truth.clone()
    both = truth.all(1)
    hidden = both & torch.tensor(rng.random(n) < 0.8)
    seen[hidden, 1] = 0

    def found(loss):
        torch.manual_seed(0)
        net = torch.nn.Sequential(torch.nn.Linear(2, 32), torch.nn.ReLU(), torch.nn.Linear(32, 2))
        opt = torch.optim.Adam(net.parameters(), 1e-2)
        for epoch in range(8):
            loss.epoch = epoch
            for i in torch.randperm(n).split(64):
                loss.places = i
                opt.zero_grad()
                loss(net(x[i]), seen[i]).backward()
                opt.step()
        return (net(x)[hidden, 1] > 0).float().mean().item()

    plain = found(AssumeNegative())
    assert plain < 0.3
    assert (
        found(LargeLoss('correct', rate=0.05)) > plain + 0.2
        and found(LargeLoss('reject', rate=0.05)) > plain + 0.2
        and found(WeakNegative()) >= plain
    )
