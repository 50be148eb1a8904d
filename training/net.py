"""A plain U-Net of 3x3 convolutions (Ronneberger et al., 2015), small enough for one CPU core.

Plain convolutions train and run faster on a CPU than depthwise ones of the same accuracy.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as f

CLASSES = ("background", "garment", "body")
_CHANNELS = (16, 32, 56, 88, 112, 128)


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
    """float [N,3,H,W] in 0..1 (H, W multiples of 64) to class scores [N,3,H/2,W/2]."""

    def __init__(self) -> None:
        super().__init__()
        widths = list(_CHANNELS)
        self.stem = nn.Sequential(
            nn.Conv2d(3, widths[0], 3, 2, 1, bias=False), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        self.down = nn.ModuleList(Block(a, b, 2) for a, b in pairwise(widths))
        pairs = list(zip(widths[:0:-1], widths[-2::-1], strict=True))
        self.up = nn.ModuleList(Block(deep + skip, skip) for deep, skip in pairs)
        self.head = nn.Conv2d(widths[0], len(CLASSES), 1)

    def forward(self, picture: Tensor) -> Tensor:
        skips = [self.stem(picture * 2 - 1)]
        for block in self.down:
            skips.append(block(skips[-1]))
        deep = skips.pop()
        for block in self.up:
            skip = skips.pop()
            deep = f.interpolate(deep, scale_factor=2.0, mode="nearest")
            deep = block(torch.cat([deep, skip], 1))
        scores: Tensor = self.head(deep)
        return scores


class Deployed(nn.Module):
    """The network as it is shipped: uint8 NHWC in, probabilities out; preprocessing is part of the graph."""

    def __init__(self, net: MannequinNet) -> None:
        super().__init__()
        self.net = net

    def forward(self, image: Tensor) -> Tensor:
        picture = image.permute(0, 3, 1, 2).to(torch.float32) / 255
        return torch.softmax(self.net(picture), 1)
