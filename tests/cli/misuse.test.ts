import { readdir } from "node:fs/promises";
import { expect, test } from "vitest";
import { fivecrop, temporaryFolder } from "./run.ts";

const TRAIN = ["train", "--model", "fashion-cnn", "--data", "fashion-mnist-sample"];
const INFER = ["infer", "boot.png", "--model", "m.onnx"];

/** What was called → what the one message says. */
const CASES: readonly (readonly [args: readonly string[], ...says: readonly string[]])[] = [
  [["trian"], "unknown command 'trian'", "train"],
  [["train", "--epohcs", "3"], "unknown option '--epohcs'", "--epochs", "fivecrop train --help"],
  [["train"], "--data: expected", "fashion-mnist"],
  [["train", "--data", "fashion-mnist-sample", "--views", "0"], "--views: expected a whole number", "1"],
  [[...TRAIN, "--views", "4"], "--views: it belongs to the networks on features (mobilenetv2-features)", "'fashion-cnn'"],
  [
    ["train", "--data", "fashion-mnist-sample", "--sizes", "16:1"],
    "--sizes: 'mobilenetv2-features' does not take it",
    "images of one size",
  ],
  [["train", "--data", "fashion-mnist-sample", "--preprocess", "{}"], "--preprocess: 'mobilenetv2-features' does not take it"],
  [["train", "--data", "fashion-mnist-sample", "--initialization", "he-normal-fan-in"], "--initialization: 'mobilenetv2-features'"],
  [["train", "--data", "fashion-mnist-sample", "--augment", "flip,mixup"], "--augment: 'mobilenetv2-features'", "mixup mixes the pictures"],
  [["train", "--data", "fashion-mnist-sample", "--dropout", "0.5"], "--dropout: it belongs to the hidden layers of --head"],
  [["train", "--model", "fashion-cnn"], "--data: expected", "fashion-mnist"],
  [["train", "--model", "fashion-cn", "--data", "fashion-mnist-sample"], "unknown model 'fashion-cn'", "Did you mean 'fashion-cnn'?"],
  [["train", "--model", "lenet-bn", "--data", "fashon-mnist"], "unknown data set 'fashon-mnist'", "Did you mean 'fashion-mnist'?"],
  [[...TRAIN, "--optimizer", "adem"], "unknown optimizer 'adem'", "Did you mean 'adam'?", "sgd, adam, adamw"],
  [[...TRAIN, "--schedule", "cosin"], "unknown schedule 'cosin'", "Did you mean 'cosine'?"],
  [[...TRAIN, "--schedule", "exponential:-1"], "schedule 'exponential:-1'", "expected the form exponential:GAMMA"],
  [[...TRAIN, "--lr", "-0.1"], "--lr: expected a number above 0, received '-0.1'"],
  [[...TRAIN, "--lr", "0"], "--lr: expected a number above 0, received '0'"],
  [[...TRAIN, "--lr", "fast"], "--lr: expected a number above 0, received 'fast'"],
  [[...TRAIN, "--lr", "NaN"], "--lr: expected a number above 0, received 'NaN'"],
  [[...TRAIN, "--lr", "Infinity"], "--lr: expected a number above 0, received 'Infinity'"],
  [[...TRAIN, "--batch-size", "0"], "--batch-size: expected a whole number of at least 1, received '0'"],
  [[...TRAIN, "--batch-size", "5000"], "--batch-size: expected at most the 4800 images", "received 5000"],
  [[...TRAIN, "--epochs", "2.5"], "--epochs: expected a whole number of at least 1, received '2.5'"],
  [[...TRAIN, "--epochs", ""], "--epochs: expected a whole number of at least 1, received ''"],
  [[...TRAIN, "--seed", "-1"], "--seed: expected a whole number of at least 0"],
  [[...TRAIN, "--threads", "0"], "--threads: expected a whole number of at least 1"],
  [
    [...TRAIN, "--device", "cuda", "--threads", "2"],
    "--threads: onnxruntime takes no number of them on cuda, received 2. To fix: leave it out, or choose the device cpu.",
  ],
  [[...TRAIN, "--patience", "-1"], "--patience: expected a whole number of at least 0"],
  [[...TRAIN, "--validation", "1"], "--validation: expected a share above 0 and below 1, or a whole number of images", "received '1'"],
  [[...TRAIN, "--validation", "6000"], "--validation: expected a share of the 6000 images", "received 6000", "To fix"],
  [[...TRAIN, "--sizes", "24x5"], "--sizes: expected SIZE:EPOCHS", "received '24x5'"],
  [[...TRAIN, "--sizes", "24:5", "--epochs", "3"], "sizes: expected at most the run's 3 epochs, received 5 in all"],
  [
    [...TRAIN, "--sizes", "24:5"],
    "network 'fashion-cnn', made for images of [C, H, W] = [1,28,28], does not take them of [1,24,24]",
    "'fc.weight'",
  ],
  [[...TRAIN, "--ema", "1"], "--ema: expected a number of at least 0 and below 1, received '1'"],
  [[...TRAIN, "--ema-warmup"], "--ema-warmup: expected --ema with a decay beside it"],
  [[...TRAIN, "--log-every", "-1"], "--log-every: expected a whole number of at least 0"],
  [[...TRAIN, "--preprocess", "{mean"], "--preprocess: expected JSON", "received '{mean'"],
  [[...TRAIN, "--preprocess", '{"means":[0]}'], "unknown field 'means'", "Did you mean 'mean'?"],
  [[...TRAIN, "--initialization", "xavier"], "unknown initialization 'xavier'", "Did you mean 'xavier-uniform'?"],
  [["train", "--recipe", "fashion-cn"], "unknown recipe 'fashion-cn'", "Did you mean 'fashion-cnn'?"],
  [["recipes", "fashion-cn"], "unknown recipe 'fashion-cn'", "Did you mean 'fashion-cnn'?"],
  [[...TRAIN, "--validation", "0.00001"], "--validation: expected a share of the 6000 images", "received 0.00001"],
  [[...TRAIN, "--label-smoothing", "1"], "--label-smoothing: expected a number of at least 0 and below 1"],
  [[...TRAIN, "--weight-decay", "-1"], "--weight-decay: expected a number of at least 0"],
  [[...TRAIN, "--optimizer", "sgd", "--momentum", "1"], "--momentum: expected a number of at least 0 and below 1"],
  [[...TRAIN, "--optimizer", "sgd", "--nesterov"], "Nesterov", "momentum above 0"],
  [[...TRAIN, "--momentum", "0.9"], "optimizer 'adam' has no option 'momentum'"],
  [[...TRAIN, "--augment", "flop"], "unknown augmentation 'flop'", "Did you mean 'flip'?"],
  [[...TRAIN, "--augment", "random-crop"], "--augment: expected random-crop:PADDING, received 'random-crop'"],
  [[...TRAIN, "--augment", "rand-agument"], "unknown augmentation 'rand-agument'", "Did you mean 'rand-augment'?"],
  [[...TRAIN, "--augment", "random-crop:4,random-resized-crop"], "at most one that cuts the picture out"],
  [[...TRAIN, "--augment", "flip,random-crop:x"], "random-crop", "whole number of pixels"],
  [[...TRAIN, "--head", "64,"], "--head: expected the units of each hidden layer", "received '64,'"],
  [[...TRAIN, "--head", "none", "--dropout", "0.5"], "--dropout: it stands behind hidden layers"],
  [[...TRAIN, "--dropout", "0.5"], "--dropout: it belongs to the hidden layers of --head"],
  [[...TRAIN, "--initialization", "xavier"], "unknown initialization 'xavier'", "Did you mean 'xavier-uniform'?"],
  [
    ["train", "--model", "lenet-bn", "--data", "fashion-mnist-sample", "--head", "64"],
    "--head: the hidden layers of 'lenet-bn' cannot be replaced",
  ],
  [["inspect", "--model", "minivgg", "--input", "64"], "--input: expected channels, height and width", "received '64'"],
  [["inspect", "m.onnx", "--classes", "3"], "--classes: it belongs to --model"],
  [["train", "--resume", "runs/a", "--lr", "0.1", "--epochs", "3"], "--resume", "runs/a/run.json", "received --lr, --epochs"],
  [[...TRAIN, "--weights", "m.onnx"], "--weights: expected a .safetensors, .pth or .pt file, received the ONNX file"],
  [["models", "lst"], "unknown command of models 'lst'. Did you mean 'list'?"],
  [["models", "info", "resnet-18"], "unknown pretrained model 'resnet-18'", "Did you mean 'resnet18'?"],
  [["models", "fetch", "squeezenet1.1-imagenet"], "there is nothing to fetch: it is part of the package"],
  [["evaluate"], "missing required argument 'model'", "fivecrop evaluate --help"],
  [["evaluate", "m.onnx", "--tta", "six-crop"], "unknown views 'six-crop'", "Did you mean 'five-crop'?"],
  [["evaluate", "m.onnx", "--tta", "none,six-crop"], "unknown views 'six-crop'", "Did you mean 'five-crop'?"],
  [["evaluate", "m.onnx", "--tta", "none,,flip"], "unknown views ''"],
  [["evaluate", "m.onnx", "--tta", "flip,256"], "unknown views 'flip,256'"],
  [["evaluate", "m.onnx", "--tta", "none,multi-scale:256,0"], "views 'multi-scale:256,0'", "multi-scale:256,288,320"],
  [["evaluate", "m.onnx", "--limit", "0"], "--limit: expected a whole number of at least 1"],
  [["infer"], "missing required argument 'pictures'"],
  [["infer", "boot.png", "--preset", "imagnet"], "unknown preset 'imagnet'", "Did you mean 'imagenet'?"],
  [[...INFER, "--preset", "imagenet", "--preprocess", "{}"], "--preset: expected either --preset or --preprocess, received both"],
  [["infer", "a/boot.png", "b/BOOT.jpg", "--save-views", "views"], "a/boot.png and b/BOOT.jpg would be written to the same files"],
  [["adopt"], "missing required argument 'model'", "fivecrop adopt --help"],
  [["adopt", "m.onnx", "--preset", "imagenet"], "--out: expected the file to write", "received none"],
  [["adopt", "m.onnx", "--tta", "six-crop", "--out", "n.onnx"], "unknown views 'six-crop'", "Did you mean 'five-crop'?"],
  [["adopt", "m.onnx", "--preset", "resnet", "--out", "n.onnx"], "unknown preset 'resnet'", "imagenet"],
  [["adopt", "m.onnx", "--output", "logit", "--out", "n.onnx"], "argument 'logit' is invalid", "logits, probabilities, log-probabilities"],
  [[...INFER, "--top", "0"], "--top: expected a whole number of at least 1, received '0'"],
  [[...INFER, "--tta", "fivecrop"], "unknown views 'fivecrop'", "Did you mean 'five-crop'?"],
  [[...INFER, "--preprocess", "{not json"], "--preprocess: expected JSON", "{not json"],
  [[...INFER, "--preprocess", '{"crop":[28,28],"sdt":[1]}'], "--preprocess: unknown field 'sdt'", "Did you mean 'std'?"],
  [["export", "runs/a", "--format", "onx"], "option '--format <name>' argument 'onx' is invalid", "onnx, safetensors"],
  [["export", "runs/a", "--checkpoint", "first"], "argument 'first' is invalid", "best, last"],
  [["inspect"], "expected either an ONNX file or --model NAME, received neither"],
  [["inspect", "m.onnx", "--model", "minivgg"], "expected either an ONNX file or --model NAME, received both"],
  [["inspect", "--model", "minivg"], "unknown model 'minivg'", "Did you mean 'minivgg'?"],
  [["verify", "m.onnx", "--device", "tpu"], "--device: expected cpu, webgpu, cuda, several with commas between them, received 'tpu'"],
  [["infer", "m.png", "--device", "tpu"], "Allowed choices are cpu, webgpu, cuda"],
  [["export", "m.onnx"], "m.onnx: expected the directory of a run", "add --self-contained"],
  [["export", "m.onnx", "--self-contained", "--checkpoint", "last"], "--checkpoint: is of a run's directory, received the file m.onnx"],
  [["export", "m.onnx", "--self-contained", "--tta", "six-crop"], "unknown views 'six-crop'"],
  [["export", "run", "--tta", "five-crop"], "--tta: needs --self-contained"],
  [["export", "run", "--labels", "l.txt"], "--labels: is of a model's file, received run"],
  [["export", "run", "--self-contained", "--format", "safetensors"], "--self-contained: needs --format onnx"],
];

test.concurrent.each(CASES.map(([args, ...says]) => ({ call: args.join(" "), args, says })))("$call", async ({ args, says }) => {
  const cwd = await temporaryFolder();
  const { code, stdout, stderr } = await fivecrop(args, { cwd });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toMatch(/^fivecrop: .+\n(See: .+\n)?$/);
  for (const said of says) expect(stderr).toContain(said);
  expect(await readdir(cwd)).toEqual([]);
});

test("--debug shows the stack", async () => {
  const { code, stderr } = await fivecrop(["inspect", "--model", "minivg", "--debug"]);
  expect(code).toBe(2);
  expect(stderr).toMatch(/^fivecrop: unknown model 'minivg'.*\nUsageError: .*\n +at /);
});
