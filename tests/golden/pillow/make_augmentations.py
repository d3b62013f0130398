"""Makes augmentations.json: the SHA-256 of what Pillow makes of small pictures, and torchvision's magnitudes. Needs Pillow and torch.

usage: python make_augmentations.py > augmentations.json
"""

import hashlib
import json
import math

import numpy as np
import torch
from PIL import Image, ImageEnhance, ImageOps

PICTURES = [("noise", 19, 14, 3), ("smooth", 32, 32, 3), ("dull", 32, 32, 3), ("smooth", 32, 24, 1), ("noise", 2, 3, 3), ("flat", 9, 9, 1)]


def picture(kind, width, height, channels):
    """The same bytes as tests/pipeline/augmentations/pictures.ts."""
    y, x, c = np.meshgrid(np.arange(height), np.arange(width), np.arange(channels), indexing="ij")
    i = ((y * width + x) * channels + c).astype(np.uint32)
    noise = i * np.uint32(2654435761) >> np.uint32(24)
    smooth = (x * 5 + y * 3 + c * 60 + (x * y) // 8) % 256
    pixels = {"noise": noise, "smooth": smooth, "dull": 90 + noise // 4, "flat": 0 * x + 77}[kind].astype(np.uint8)
    return Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])


def adjust_hue(image, factor):
    """torchvision.transforms._functional_pil.adjust_hue"""
    if image.mode == "L":
        return image
    h, s, v = image.convert("HSV").split()
    shifted = (np.array(h).astype(np.int32) + int(factor * 255)) % 256
    return Image.merge("HSV", (Image.fromarray(shifted.astype(np.uint8)), s, v)).convert("RGB")


def affine(image, matrix):
    return image.transform(image.size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST, fillcolor=None)


def shear_matrix(x, y):
    """torchvision.transforms.functional._get_inverse_affine_matrix without rotation, about [0, 0], of degrees(atan(magnitude))"""
    sx, sy = (math.radians(math.degrees(math.atan(value))) for value in (x, y))
    a, b = math.cos(-sy) / math.cos(sy), -math.cos(-sy) * math.tan(sx) / math.cos(sy)
    c, d = math.sin(-sy) / math.cos(sy), -math.sin(-sy) * math.tan(sx) / math.cos(sy) + 1
    return [d, -b, 0, -c, a, 0]


OPERATIONS = {
    "brightness": (lambda image, v: ImageEnhance.Brightness(image).enhance(v), [0, 0.37, 1, 1.4, 3]),
    "contrast": (lambda image, v: ImageEnhance.Contrast(image).enhance(v), [0, 0.37, 1, 1.4, 3]),
    "saturation": (lambda image, v: ImageEnhance.Color(image).enhance(v), [0, 0.37, 1, 1.4, 3]),
    "sharpness": (lambda image, v: ImageEnhance.Sharpness(image).enhance(v), [0, 0.37, 1, 1.9, 3]),
    "hue": (adjust_hue, [-0.5, -0.1, 0, 0.07, 0.33, 0.5]),
    "posterize": (ImageOps.posterize, [1, 4, 7, 8]),
    "solarize": (ImageOps.solarize, [0, 100.5, 128, 255]),
    "autocontrast": (lambda image, v: ImageOps.autocontrast(image), [0]),
    "equalize": (lambda image, v: ImageOps.equalize(image), [0]),
    "rotate": (lambda image, v: image.rotate(v, Image.Resampling.NEAREST), [-30, -9, 0, 0.5, 21, 90, 200]),
    "shearX": (lambda image, v: affine(image, shear_matrix(v, 0)), [-0.3, -0.09, 0.13, 0.3]),
    "shearY": (lambda image, v: affine(image, shear_matrix(0, v)), [-0.3, -0.09, 0.13, 0.3]),
    "translateX": (lambda image, v: affine(image, [1, 0, -v, 0, 1, 0]), [-4, 0, 1, 9]),
    "translateY": (lambda image, v: affine(image, [1, 0, 0, 0, 1, -v]), [-4, 0, 1, 9]),
}

# picture, box (x, y, width, height), size: torchvision's resized_crop is crop, then resize
CROPS = [
    (("noise", 19, 14, 3), (3, 2, 11, 9), (32, 32)),
    (("smooth", 32, 24, 1), (0, 0, 32, 24), (9, 13)),
    (("smooth", 32, 32, 3), (5, 1, 7, 30), (16, 16)),
    (("smooth", 32, 32, 3), (5, 1, 1, 1), (4, 3)),
    (("noise", 211, 160, 3), (17, 31, 150, 121), (56, 48)),
]


def digest(image):
    return hashlib.sha256(image.tobytes()).hexdigest()


def resized_crop(spec, box, size):
    x, y, width, height = box
    return picture(*spec).crop((x, y, x + width, y + height)).resize(size, Image.Resampling.BILINEAR)


def magnitudes(width, height):
    """torchvision.transforms.RandAugment._augmentation_space with 31 bins"""
    ranges = {
        "ShearX": (0.0, 0.3),
        "ShearY": (0.0, 0.3),
        "TranslateX": (0.0, 150.0 / 331.0 * width),
        "TranslateY": (0.0, 150.0 / 331.0 * height),
        "Rotate": (0.0, 30.0),
        "Brightness": (0.0, 0.9),
        "Color": (0.0, 0.9),
        "Contrast": (0.0, 0.9),
        "Sharpness": (0.0, 0.9),
        "Solarize": (255.0, 0.0),
    }
    posterize = 8 - (torch.arange(31) / ((31 - 1) / 4)).round().int()
    return {**{name: torch.linspace(*ends, 31).tolist() for name, ends in ranges.items()}, "Posterize": posterize.tolist()}


rows = [
    {"operation": name, "picture": spec, "value": value, "sha256": digest(apply(picture(*spec), value))}
    for name, (apply, values) in OPERATIONS.items()
    for spec in PICTURES
    for value in values
]
crops = [{"picture": spec, "box": box, "size": size, "sha256": digest(resized_crop(spec, box, size))} for spec, box, size in CROPS]
space = [{"width": width, "height": height, "magnitudes": magnitudes(width, height)} for width, height in ((32, 32), (224, 200))]


def lines(name, values):
    return f' "{name}": [\n' + ",\n".join(json.dumps(value) for value in values) + "\n ]"


print("{\n" + ",\n".join([lines("operations", rows), lines("crops", crops), lines("space", space)]) + "\n}")
