"""ResNet-50 (He and others 2015, with the stride in the 3 × 3 convolution as everybody trains it now), in plain PyTorch.

The box's environment has no torchvision (ansible/roles/ai_frameworks/files/locks), whose model this is layer by layer.
"""

from typing import Any

from torch import nn

# Width of each stage's inner convolutions, and its blocks.
STAGES = ((64, 3), (128, 4), (256, 6), (512, 3))
EXPANSION = 4


def convolution(inside: int, outside: int, kernel: int, stride: int = 1) -> nn.Sequential:
    """A convolution without bias and its batch norm."""
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outside)
    )


class Bottleneck(nn.Module):
    def __init__(self, inside: int, width: int, stride: int) -> None:
        super().__init__()
        outside = width * EXPANSION
        self.reduce = convolution(inside, width, 1)
        self.spread = convolution(width, width, 3, stride)
        self.expand = convolution(width, outside, 1)
        same = stride == 1 and inside == outside
        self.shortcut = nn.Identity() if same else convolution(inside, outside, 1, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x: Any) -> Any:
        found = self.relu(self.reduce(x))
        found = self.relu(self.spread(found))
        return self.relu(self.expand(found) + self.shortcut(x))


def resnet50(classes: int = 1000) -> nn.Sequential:
    """25,557,032 parameters with 1,000 classes."""
    layers: list[nn.Module] = [convolution(3, 64, 7, 2), nn.ReLU(inplace=True), nn.MaxPool2d(3, 2, 1)]
    inside = 64
    for number, (width, blocks) in enumerate(STAGES):
        for block in range(blocks):
            layers.append(Bottleneck(inside, width, 2 if number and block == 0 else 1))
            inside = width * EXPANSION
    model = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(inside, classes))
    for part in model.modules():
        if isinstance(part, nn.Conv2d):
            nn.init.kaiming_normal_(part.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(part, Bottleneck):
            # Each block begins as its shortcut (Goyal and others 2017): the first steps do not leap.
            nn.init.zeros_(part.expand[1].weight)
    return model
