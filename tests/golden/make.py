"""Writes NAME.json beside this file: logits, loss and gradients of a network at a small size, by PyTorch in float64.

usage: python make.py REFERENCE NAME...
REFERENCE is the folder with nets.py and make_goldens.py; resnet18 and densenet169 are torchvision's.
"""
import json
import pathlib
import sys

import numpy as np
import torch
from torch import nn

sys.path.insert(0, sys.argv[1])
from make_goldens import initialise, sample, uniform  # noqa: E402
from nets import NETS  # noqa: E402

# name -> batch, image size, hidden units in place of the network's own
SIZES = {
    "alexnet": (4, 67, (48, 32)),
    "vgg11-small": (4, 32, (48, 32)),
    "vgg11": (4, 32, (48, 32)),
    "convnet2": (4, 32, None),
    "resnet18": (4, 64, None),
    "densenet169": (8, 40, None),
}


def narrow(model, features, hidden, classes):
    """The last three linear layers of a sequence, in other widths."""
    places = [i for i, layer in enumerate(model) if isinstance(layer, nn.Linear)]
    widths = [features, *hidden, classes]
    for place, a, b in zip(places, widths, widths[1:]):
        model[place] = nn.Linear(a, b)


def fresh(name, dtype):
    make, (channels, _, _), classes = NETS[name]
    _, size, hidden = SIZES[name]
    model = make()
    if hidden:
        flatten = next(i for i, layer in enumerate(model) if isinstance(layer, nn.Flatten))
        with torch.no_grad():
            features = model[: flatten + 1](torch.zeros(1, channels, size, size)).shape[1]
        narrow(model, features, hidden, classes)
    for module in model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    model = model.double()
    initialise(model)
    return model.to(dtype)


def golden(name, dtype=torch.float64):
    _, (channels, _, _), classes = NETS[name]
    batch, size, hidden = SIZES[name]
    shape = [batch, channels, size, size]
    x = torch.from_numpy(uniform(1000, int(np.prod(shape)))).reshape(shape).to(dtype)
    y = torch.tensor([(7 * i + 3) % classes for i in range(batch)])
    model = fresh(name, dtype).eval()
    with torch.no_grad():
        eval_logits = model(x)[:, :10].tolist()
    logits = model.train()(x)
    loss = nn.CrossEntropyLoss()(logits, y)
    loss.backward()
    return {
        "net": name, "input": shape, "classes": classes, **({"hidden": hidden} if hidden else {}), "labels": y.tolist(),
        "parameters": [[n, list(p.shape)] for n, p in model.named_parameters()],
        "parameter_count": sum(p.numel() for p in model.parameters()),
        "eval_logits": eval_logits, "train_logits": logits[:, :10].tolist(), "loss": loss.item(),
        "gradients": {n: sample(p.grad) for n, p in model.named_parameters()}, "training": {},
    }


for name in sys.argv[2:]:
    path = pathlib.Path(__file__).parent / f"{name}.json"
    exact, single = golden(name), golden(name, torch.float32)
    path.write_text(json.dumps(exact, separators=(",", ":")))
    errors = [abs(single["gradients"][n]["l2"] - g["l2"]) / g["l2"] for n, g in exact["gradients"].items() if g["l2"] > 1e-9]
    print(name, path.stat().st_size, f"largest relative error of a gradient's L2 norm in float32: {max(errors):.1e}", flush=True)
