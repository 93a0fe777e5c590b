"""Seven small networks for tiles of 64 pixels, each after a famous one, and what they cost.

They keep the idea of the network they are named after and shrink the rest, so that all of them train on one CPU core in
minutes. `NETS` maps a name to a function without arguments that makes a fresh network: (tiles, 3, 64, 64) in, (tiles,
11) logits out.
"""
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

SIDE, CLASSES = 64, 11


def dense():
    "No convolution: every pixel is joined to every hidden unit"
    return nn.Sequential(nn.Flatten(), nn.Linear(3*SIDE*SIDE, 256), nn.ReLU(True), nn.Linear(256, CLASSES))


def lenet():
    "LeCun et al. 1998: 5×5 convolutions, tanh, average pooling, three dense layers"
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Flatten(),
        nn.Linear(16*13*13, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, CLASSES))


def lenet_average():
    "`lenet` with an average over all places in front of its dense layers"
    return nn.Sequential(
        nn.Conv2d(3, 6, 5), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AdaptiveAvgPool2d(1),
        nn.Flatten(), nn.Linear(16, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, CLASSES))


def alexnet():
    "Krizhevsky et al. 2012: five convolutions, ReLU, overlapping max pooling, dropout before the dense layers"
    def conv(i, o, k, stride=1): return [nn.Conv2d(i, o, k, stride, k//2), nn.ReLU(True)]
    return nn.Sequential(
        *conv(3, 32, 5, 2),
        nn.MaxPool2d(3, 2),
        *conv(32, 64, 5),
        nn.MaxPool2d(3, 2),
        *conv(64, 96, 3),
        *conv(96, 96, 3),
        *conv(96, 64, 3),
        nn.MaxPool2d(3, 2),
        nn.Flatten(),
        nn.Dropout(),
        nn.Linear(64 * 3 * 3, 256),
        nn.ReLU(True),
        nn.Dropout(),
        nn.Linear(256, 256),
        nn.ReLU(True),
        nn.Linear(256, CLASSES),
    )


def vgg():
    "Simonyan and Zisserman 2014: pairs of 3×3 convolutions, then halve the side; more channels each time"
    layers, i = [], 3
    for o in (12, 24, 48, 96):
        layers += [
            nn.Conv2d(i, o, 3, padding=1),
            nn.ReLU(True),
            nn.Conv2d(o, o, 3, padding=1),
            nn.ReLU(True),
            nn.MaxPool2d(2),
        ]
        i = o
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(96 * 4 * 4, 128), nn.ReLU(True), nn.Dropout(), nn.Linear(128, CLASSES)
    )


def conv_bn(i, o, kernel=3, stride=1, groups=1, act=nn.ReLU):
    "Convolution, batch norm and, unless `act` is None, an activation"
    return nn.Sequential(nn.Conv2d(i, o, kernel, stride, kernel//2, groups=groups, bias=False), nn.BatchNorm2d(o),
                         *([act(True)] if act else []))


class Block(nn.Module):
    "Two 3×3 convolutions; with `skip` their input is added to what they give. The short way has no weights of its own"
    def __init__(self, i, o, stride, skip):
        super().__init__()
        self.way, self.skip, self.stride, self.grow = (
            nn.Sequential(conv_bn(i, o, 3, stride), conv_bn(o, o, act=None)),
            skip,
            stride,
            o - i,
        )

    def forward(self, x):
        y = self.way(x)
        if self.skip:
            if self.stride>1: x = F.avg_pool2d(x, self.stride)
            y = y+F.pad(x, (0, 0, 0, 0, 0, self.grow)) # new channels start from zero
        return F.relu(y)


def resnet(skip=True, blocks=5):
    "He et al. 2015: many blocks whose input takes a short way round them; 2 + 6·`blocks` layers"
    layers, i = [conv_bn(3, 16, 7, 2), nn.MaxPool2d(3, 2, 1)], 16
    for o in (16, 32, 64):
        for n in range(blocks):
            layers.append(Block(i, o, 2 if n==0 and o>16 else 1, skip))
            i = o
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, CLASSES))


class Inverted(nn.Module):
    "Widen with 1×1, filter each channel by itself with 3×3, narrow with 1×1 and no activation; skip where shapes agree"
    def __init__(self, i, o, stride, widen):
        super().__init__()
        c = widen * i
        self.way = nn.Sequential(
            conv_bn(i, c, 1, act=nn.ReLU6), conv_bn(c, c, 3, stride, groups=c, act=nn.ReLU6), conv_bn(c, o, 1, act=None)
        )
        self.skip = stride == 1 and i == o

    def forward(self, x): return x+self.way(x) if self.skip else self.way(x)


def mobilenet(widest=6):
    "Sandler et al. 2018: inverted residuals of depthwise separable convolutions, widened `widest` times at most"
    layers, i = [conv_bn(3, 16, 3, 2, act=nn.ReLU6)], 16
    for o, stride, widen in ((16, 2, 1), (24, 1, 6), (24, 1, 6), (40, 2, 6), (40, 1, 6), (80, 2, 6), (80, 1, 6)):
        layers.append(Inverted(i, o, stride, min(widen, widest)))
        i = o
    return nn.Sequential(
        *layers, conv_bn(80, 256, 1, act=nn.ReLU6), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(256, CLASSES)
    )


def started(net):
    """He et al. 2015's first weights for every layer, so that signals neither fade nor grow; each class starts from a
    tenth of the tiles
    """
    for m in net.modules():
        if isinstance(m, (nn.Conv2d, nn.Linear)):
            nn.init.kaiming_normal_(m.weight, nonlinearity='relu')
            if m.bias is not None:
                nn.init.zeros_(m.bias)
    with torch.no_grad():
        net[-1].weight.mul_(0.1)
        net[-1].bias.fill_(-2.2)
    return net


NETS = dict(
    dense=dense,
    lenet=lenet,
    alexnet=alexnet,
    vgg=vgg,
    plain=lambda: resnet(skip=False),
    resnet=resnet,
    mobilenet=mobilenet,
)
EXERCISES = {  # what the post's exercises ask for
    'plain, one block': lambda: resnet(skip=False, blocks=1),
    'resnet, one block': lambda: resnet(blocks=1),
    'lenet, averaged': lenet_average,
    'mobilenet, narrow': lambda: mobilenet(widest=1),
}


def costs(net) -> dict:
    """`layers` with weights (convolutions and dense ones), `parameters`, `macs` a tile, and `receptive_field` in pixels
    before pooling over all
    """
    seen = []

    def note(m, args, out):
        seen.append(
            (m.kernel_size, m.stride) if not isinstance(m.kernel_size, tuple) else (m.kernel_size[0], m.stride[0])
        )

    hooks = [
        m.register_forward_hook(note) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.MaxPool2d, nn.AvgPool2d))
    ]
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net.eval()(torch.zeros(1, 3, SIDE, SIDE))
    for h in hooks:
        h.remove()
    field, jump = 1, 1  # pixels seen by one unit, and pixels between two neighbouring units
    for kernel, stride in seen:
        field, jump = field + (kernel - 1) * jump, jump * stride
    if not seen:
        field = SIDE  # a dense layer sees the whole tile
    return dict(
        layers=sum(isinstance(m, (nn.Conv2d, nn.Linear)) for m in net.modules()),
        parameters=sum(p.numel() for p in net.parameters()),
        macs=counter.get_total_flops() // 2,
        receptive_field=field,
    )
