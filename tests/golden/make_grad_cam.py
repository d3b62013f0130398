"""Writes grad-cam.json beside this file: Grad-CAM of three networks at some of their layers, by PyTorch in float64.

usage: python make_grad_cam.py REFERENCE
REFERENCE is the folder with nets.py and make_goldens.py, whose integer hash makes inputs and parameters.
"""
import json
import pathlib
import sys

import numpy as np
import torch

sys.path.insert(0, sys.argv[1])
from make_goldens import initialise, uniform  # noqa: E402
from nets import NETS  # noqa: E402

# name -> node of the graph: (module, which of its calls)
LAYERS = {
    "fashion-cnn": {"pool3": ("pool", 2), "conv3": ("conv3", 0), "bn2": ("bn2", 0)},
    "mini-resnet": {"backbone.6": ("backbone.6", 0), "backbone.2": ("backbone.2", 0), "backbone.0.3": ("backbone.0.3", 0)},
    "lenet-bn": {"7": ("7", 0), "3": ("3", 0)},
}
IMAGES = 2
CLASS = 3


def grad_cam(model, x, module, call, chosen):
    """chosen: None for the most probable class, or its index."""
    maps = []
    hook = model.get_submodule(module).register_forward_hook(lambda _m, _i, output: maps.append(output))
    logits = model(x)
    hook.remove()
    score = logits.max(1).values if chosen is None else logits[:, chosen]
    (gradient,) = torch.autograd.grad(score.sum(), maps[call])
    cam = (gradient.mean((2, 3), keepdim=True) * maps[call]).sum(1).relu()
    largest = cam.amax((1, 2), keepdim=True)
    return torch.where(largest > 0, cam / largest, cam).tolist()


def rounded(maps):
    return [[[float(f"{v:.8g}") for v in row] for row in image] for image in maps]


golden = {"class": CLASS, "nets": {}}
for name, layers in LAYERS.items():
    make, shape, _ = NETS[name]
    model = make().double().eval()
    initialise(model)
    shape = [IMAGES, *shape]
    x = torch.from_numpy(uniform(1000, int(np.prod(shape)))).reshape(shape)
    golden["nets"][name] = {
        node: {"top": rounded(grad_cam(model, x, *at, None)), "class": rounded(grad_cam(model, x, *at, CLASS))} for node, at in layers.items()
    }
path = pathlib.Path(__file__).parent / "grad-cam.json"
path.write_text(json.dumps(golden, separators=(",", ":")))
print(path.name, path.stat().st_size)
