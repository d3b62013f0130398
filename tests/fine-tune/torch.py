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


class MobileV3(nn.Module):
    """Hard swish and hard sigmoid, squeeze and excitation, a depthwise convolution of stride 2."""

    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.c2, self.b2 = nn.Conv2d(8, 8, 5, 2, 2, groups=8, bias=False), nn.BatchNorm2d(8)
        self.s1, self.s2 = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
        self.l1, self.l2 = nn.Linear(8, 12), nn.Linear(12, CLASSES)

    def forward(self, x):
        x = F.hardswish(self.b2(self.c2(F.hardswish(self.b1(self.c1(x))))))
        x = x * F.hardsigmoid(self.s2(torch.relu(self.s1(F.adaptive_avg_pool2d(x, 1)))))
        return self.l2(F.hardswish(self.l1(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))))


class Efficient(nn.Module):
    """SiLU, squeeze and excitation behind a sigmoid, a residual block that expands."""

    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 6, 3, 2, 1, bias=False), nn.BatchNorm2d(6, eps=1e-3)
        self.c2, self.b2 = nn.Conv2d(6, 12, 1, bias=False), nn.BatchNorm2d(12, eps=1e-3)
        self.c3, self.b3 = nn.Conv2d(12, 12, 3, padding=1, groups=12, bias=False), nn.BatchNorm2d(12, eps=1e-3)
        self.s1, self.s2, self.c4 = nn.Conv2d(12, 3, 1), nn.Conv2d(3, 12, 1), nn.Conv2d(12, 6, 1)
        self.fc = nn.Linear(6, CLASSES)

    def forward(self, x):
        x = F.silu(self.b1(self.c1(x)))
        y = F.silu(self.b3(self.c3(F.silu(self.b2(self.c2(x))))))
        y = y * torch.sigmoid(self.s2(F.silu(self.s1(F.adaptive_avg_pool2d(y, 1)))))
        return self.fc(torch.flatten(F.adaptive_avg_pool2d(x + self.c4(y), 1), 1))


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.c, self.d = nn.Conv2d(3, 8, 2, 2), nn.Conv2d(8, 8, 7, padding=3, groups=8)
        self.n, self.scale = nn.LayerNorm(8, eps=1e-6), nn.Parameter(torch.full((8, 1, 1), 0.5))
        self.l1, self.l2, self.fc = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = self.c(x)
        y = self.n(self.d(x).permute(0, 2, 3, 1))
        x = x + self.scale * self.l2(F.gelu(self.l1(y))).permute(0, 3, 1, 2)
        return self.fc(x.mean((2, 3)))


class Transformer(nn.Module):
    """Attention with the batch first and a class token, as timm and Hugging Face write it."""

    def __init__(self):
        super().__init__()
        self.c, self.token = nn.Conv2d(3, 8, 4, 4), nn.Parameter(values((1, 1, 8), 7))
        self.positions = nn.Parameter(values((1, 17, 8), 5))
        self.n1, self.n2, self.n3 = nn.LayerNorm(8), nn.LayerNorm(8), nn.LayerNorm(8)
        self.qkv, self.o = nn.Linear(8, 24), nn.Linear(8, 8)
        self.l1, self.l2, self.fc = nn.Linear(8, 16), nn.Linear(16, 8), nn.Linear(8, CLASSES)

    def forward(self, x):
        x = self.c(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.token.expand(x.shape[0], -1, -1), x], 1) + self.positions
        n, t, d = x.shape
        q, k, v = self.qkv(self.n1(x)).reshape(n, t, 3, 2, d // 2).permute(2, 0, 3, 1, 4).unbind(0)
        a = (q * (d // 2) ** -0.5 @ k.transpose(-2, -1)).softmax(-1)
        x = x + self.o((a @ v).transpose(1, 2).reshape(n, t, d))
        x = x + self.l2(F.gelu(self.l1(self.n2(x)), approximate="tanh"))
        return self.fc(self.n3(x)[:, 0])


class Vision(nn.Module):
    """Attention with the batch merged with the heads and with the positions, as torchvision's vision transformers have it."""

    def __init__(self):
        super().__init__()
        self.c, self.token = nn.Conv2d(3, 8, 4, 4), nn.Parameter(values((1, 1, 8), 7))
        self.positions = nn.Parameter(values((1, 17, 8), 5))
        self.norms = nn.ModuleList([nn.LayerNorm(8, eps=1e-6) for _ in range(5)])
        self.attentions = nn.ModuleList([nn.MultiheadAttention(8, 2, batch_first=True) for _ in range(2)])
        self.mlps = nn.ModuleList([nn.Sequential(nn.Linear(8, 16), nn.GELU(), nn.Linear(16, 8)) for _ in range(2)])
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        n, _, h, w = x.shape
        x = self.c(x).reshape(n, 8, (h // 4) * (w // 4)).permute(0, 2, 1)
        x = torch.cat([self.token.expand(n, -1, -1), x], 1) + self.positions
        for i in (0, 1):
            y = self.norms[2 * i](x)
            x = x + self.attentions[i](y, y, y, need_weights=False)[0]
            x = x + self.mlps[i](self.norms[2 * i + 1](x))
        return self.fc(self.norms[4](x)[:, 0])


class Normalize(torch.autograd.Function):
    """LRN as the older frameworks write it: one operator, where PyTorch's own export is a pool over three axes."""

    @staticmethod
    def forward(ctx, x):
        return F.local_response_norm(x, 5, 2e-2, 0.75, 1.0)

    @staticmethod
    def symbolic(g, x):
        return g.op("LRN", x, size_i=5, alpha_f=2e-2, beta_f=0.75, bias_f=1.0).setType(x.type())


class Alex(nn.Module):
    """LRN, pools that overlap, two of them of other sizes joined, and dropout, whose noise is PyTorch's own and so is of no share here."""

    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d(3, 8, 5, 2, 2), nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.dropout = nn.Dropout(0.0)
        self.l1, self.l2 = nn.Linear(64, 12), nn.Linear(12, CLASSES)

    def forward(self, x):
        x = torch.relu(self.c1(x))
        x = Normalize.apply(x) if torch.onnx.is_in_onnx_export() else F.local_response_norm(x, 5, 2e-2, 0.75, 1.0)
        x = F.max_pool2d(x, 3, 2, ceil_mode=True)
        x = torch.cat([F.max_pool2d(torch.relu(self.c2(x)), 3, 2), F.avg_pool2d(x, 4, 4)[:, :, :1, :1]], 1)
        x = self.dropout(torch.flatten(F.interpolate(x, scale_factor=2, mode="nearest"), 1))
        return self.l2(self.dropout(torch.relu(self.l1(x))))


class Shuffle(nn.Module):
    """Split, a channel shuffle, channels picked by a list, nearest neighbours by scale and by size, and the largest pixel of all."""

    def __init__(self):
        super().__init__()
        self.c1, self.b1 = nn.Conv2d(3, 8, 3, 2, 1, bias=False), nn.BatchNorm2d(8)
        self.c2, self.b2 = nn.Conv2d(4, 4, 3, 2, 1, groups=4, bias=False), nn.BatchNorm2d(4)
        self.fc = nn.Linear(8, CLASSES)

    def forward(self, x):
        a, b = torch.relu(self.b1(self.c1(x))).chunk(2, 1)
        b = F.interpolate(self.b2(self.c2(b)), scale_factor=2, mode="nearest")
        x = torch.cat([a, b.index_select(1, torch.tensor([3, 1, 0, 2]))], 1)
        n, c, h, w = x.shape
        x = x.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)
        x = F.interpolate(x, size=(16, 24), mode="nearest") * 0.5
        return self.fc(torch.flatten(F.adaptive_max_pool2d(x, 1), 1))


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

torch.backends.mha.set_fastpath_enabled(False)

# the opsets of each: the older ones have no form of some of its operators
KINDS = {
    "residual": (Residual, (9, 11, 13, 17)),
    "mobile": (Mobile, (9, 11, 13, 17)),
    "branches": (Branches, (9, 11, 13, 17)),
    "mobile-v3": (MobileV3, (11, 14)),
    "efficient": (Efficient, (9, 17)),
    "convnext": (ConvNeXt, (11, 17)),
    "transformer": (Transformer, (11, 17)),
    "vision": (Vision, (14, 17)),
    "alex": (Alex, (9, 13)),
    "shuffle": (Shuffle, (11, 18)),
}
answer = {"dynamo": has_dynamo, "cases": []}
named = {"input_names": ["x"], "output_names": ["y"]}
axes = {"x": {0: "batch"}, "y": {0: "batch"}}
one = torch.zeros(1, 3, 16, 16)
for name, (kind, opsets) in KINDS.items():
    kept = losses(made(kind))
    has_norm = any(isinstance(module, nn.BatchNorm2d) for module in made(kind).modules())
    fused = losses(folded(made(kind))) if has_norm else kept

    def add(label, expected, **options):
        file = f"{name}-{label}.onnx"
        torch.onnx.export(made(kind), (one,), f"{folder}/{file}", **named, **options)
        answer["cases"].append({"file": file, "losses": expected})

    preserve = {"training": torch.onnx.TrainingMode.PRESERVE, "do_constant_folding": False, "dynamo": False}
    for opset in opsets:
        add(f"kept-{opset}", kept, **preserve, opset_version=opset, dynamic_axes=axes)
    add("kept-one", kept, **preserve)
    if has_norm:
        add("folded", fused, dynamo=False, dynamic_axes=axes)
    add("folded-one", fused, dynamo=False)
    if kind is Alex:  # its dropout stays in the file, in training mode
        add("training", kept, dynamo=False, training=torch.onnx.TrainingMode.TRAINING, dynamic_axes=axes)
    elif has_dynamo:
        add("dynamo-one", fused, dynamo=True, verbose=False)
        add("dynamo", fused, dynamo=True, verbose=False, dynamic_shapes={"x": {0: torch.export.Dim("batch")}})
print(json.dumps(answer))
