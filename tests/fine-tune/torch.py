"""Exports small networks with PyTorch, trains them there for a few steps, and prints the losses as JSON."""
import json, sys, warnings
import torch
import torch.nn as nn
import torch.nn.functional as F

warnings.filterwarnings("ignore")
folder = sys.argv[1]
STEPS, CLASSES = 3, 5


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.c2, self.b2 = nn.Conv2d(8, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8)
        self.c3, self.b3 = nn.Conv2d(8, 12, 3, stride=2, padding=1), nn.BatchNorm2d(12)
        self.fc = nn.Linear(12, CLASSES)

    def forward(self, x):
        x = torch.relu(self.b1(self.c1(x)))
        x = torch.relu(x + self.b2(self.c2(x)))
        x = torch.relu(self.b3(self.c3(x)))
        return self.fc(F.adaptive_avg_pool2d(x, 1).view(x.size(0), -1))


class Mobile(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 8, 3, 2, 1), nn.BatchNorm2d(8)
        self.c2, self.b2 = nn.Conv2d(8, 8, 3, 1, 1, groups=8), nn.BatchNorm2d(8)
        self.c3 = nn.Conv2d(8, 16, 1)
        self.l1, self.l2 = nn.Linear(256, 10), nn.Linear(10, CLASSES)

    def forward(self, x):
        x = F.relu6(self.b2(self.c2(F.relu6(self.b1(self.c1(x))))))
        x = torch.flatten(F.max_pool2d(self.c3(x), 2), 1)
        return self.l2(torch.relu(self.l1(x)))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 1), nn.Conv2d(3, 4, 3, padding=1)
        self.l1, self.l2 = nn.Linear(8, 6), nn.Linear(6, CLASSES, bias=False)

    def forward(self, x):
        y = torch.cat([self.a(x), F.avg_pool2d(self.b(x), 3, 1, 1)], 1)
        n, c, h, w = y.shape
        y = y.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, -1, h, w)
        return self.l2(torch.tanh(self.l1(y.mean((2, 3)))))


def values(shape, seed):
    """The same numbers on both sides: a sawtooth that an integer makes."""
    n = torch.arange(int(torch.tensor(shape).prod()), dtype=torch.float64)
    return (((n * 7919 + seed * 104729) % 10007) / 10007 * 2 - 1).reshape(shape).float()


def folded(net):
    for c, b in (("c1", "b1"), ("c2", "b2"), ("c3", "b3")):
        if hasattr(net, b):
            setattr(net, c, nn.utils.fuse_conv_bn_eval(getattr(net, c), getattr(net, b)))
            setattr(net, b, nn.Identity())
    return net


def losses(net):
    net.train()
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    found = []
    for step in range(STEPS):
        optimizer.zero_grad()
        loss = F.cross_entropy(net(values([6, 3, 16, 16], step)), torch.arange(6) % CLASSES)
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def made(kind):
    torch.manual_seed(1)
    net = kind().eval()
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 2)
    return net


try:
    import onnxscript  # noqa: F401
    has_dynamo = True
except ImportError:
    has_dynamo = False

answer = {"dynamo": has_dynamo, "cases": []}
named = {"input_names": ["x"], "output_names": ["y"]}
axes = {"x": {0: "batch"}, "y": {0: "batch"}}
one = torch.zeros(1, 3, 16, 16)
for name, kind in (("residual", Residual), ("mobile", Mobile), ("branches", Branches)):
    kept, fused = losses(made(kind)), losses(folded(made(kind)))

    def add(label, expected, **options):
        file = f"{name}-{label}.onnx"
        torch.onnx.export(made(kind), (one,), f"{folder}/{file}", **named, **options)
        answer["cases"].append({"file": file, "losses": expected})

    preserve = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False, "dynamo": False}
    for opset in (9, 11, 13, 17):
        add(f"kept-{opset}", kept, **preserve, opset_version=opset, dynamic_axes=axes)
    add("kept-one", kept, **preserve)
    add("folded", fused, dynamo=False, dynamic_axes=axes)
    add("folded-one", fused, dynamo=False)
    if has_dynamo:
        add("dynamo-one", fused, dynamo=True, verbose=False)
        add("dynamo", fused, dynamo=True, verbose=False, dynamic_shapes={"x": {0: torch.export.Dim("batch")}})
print(json.dumps(answer))
