"""A plain U-Net of 3x3 convolutions (Ronneberger et al., 2015), small enough for one CPU core.

Plain convolutions train and run faster on a CPU than depthwise ones of the same accuracy. It is told which
garment is meant (a hint), and answers a second question beside the classes: where the inner back would show.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as f

CLASSES = ("background", "garment", "body", "other")
PLANES = len(CLASSES) + 1
"""The classes' scores, then the interior's."""
_CHANNELS = (24, 40, 72, 112, 160, 192)
_HINTS = 4


class Block(nn.Sequential):
    """Two convolutions, each with normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        layers: list[nn.Module] = []
        for channels, step in ((inputs, stride), (outputs, 1)):
            layers += [
                nn.Conv2d(channels, outputs, 3, step, 1, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            ]
        super().__init__(*layers)


class MannequinNet(nn.Module):
    """float [N,3,H,W] in 0..1 (H, W multiples of 64) and hints [N] to scores [N,5,H/2,W/2]."""

    def __init__(self) -> None:
        super().__init__()
        widths = list(_CHANNELS)
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        self.down = nn.ModuleList(Block(a, b, 2) for a, b in pairwise(widths))
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        # The hint is a bias of every block on the way up: what it decides is what the parts are called.
        self.hints = nn.ModuleList(nn.Embedding(_HINTS, deep) for deep, _ in pairs)
        self.up = nn.ModuleList(Block(deep + skip, skip) for deep, skip in pairs)
        self.head = nn.Conv2d(widths[0], PLANES, 1)

    def forward(self, picture: Tensor, hint: Tensor) -> Tensor:
        skips = [self.stem(picture * 2 - 1)]
        for block in self.down:
            skips.append(block(skips[-1]))
        deep = skips.pop()
        for told, block in zip(self.hints, self.up, strict=True):
            skip = skips.pop()
            deep = f.interpolate(deep + told(hint)[:, :, None, None], scale_factor=2.0, mode="nearest")
            deep = block(torch.cat([deep, skip], 1))
        scores: Tensor = self.head(deep)
        return scores


class Deployed(nn.Module):
    """The network as it is shipped: uint8 NHWC in, probabilities out; preprocessing is part of the graph."""

    def __init__(self, net: MannequinNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor, hint: Tensor) -> Tensor:
        picture = image.permute(0, 3, 1, 2).to(torch.float32) / 255
        scores = self.net(picture, hint)
        classes = torch.softmax(scores[:, : len(CLASSES)], 1)
        return torch.cat([classes, torch.sigmoid(scores[:, len(CLASSES) :])], 1)
