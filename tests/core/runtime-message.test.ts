import { expect, test } from "vitest";
import { runtimeMessage } from "../../core/runtime-message.ts";

test.each([
  [
    "/onnxruntime_src/onnxruntime/core/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const std::unordered_map<std::__cxx11::basic_string<char>, int>&, bool) Unsupported model IR version: 255, max supported IR version: 13",
    "Unsupported model IR version: 255, max supported IR version: 13",
  ],
  [
    "Exception during initialization: /onnxruntime_src/onnxruntime/core/optimizer/initializer.cc:51 onnxruntime::Initializer::Initializer(const onnx::TensorProto&, const std::filesystem::__cxx11::path&) [ONNXRuntimeError] : 1 : FAIL : tensorprotoutils.cc:1469 ValidateEmbeddedTensorProtoDataSizeAndShape Initializer 'b': raw_data size (40 bytes) does not match expected size (4 bytes)",
    "Exception during initialization: Initializer 'b': raw_data size (40 bytes) does not match expected size (4 bytes)",
  ],
  ["Node (bn) Op (BatchNormalization)\n has (1) input", "Node (bn) Op (BatchNormalization) has (1) input"],
  [`no such node ${"x".repeat(10_000)}`, `no such node ${"x".repeat(587)}…`],
])("%#: only what is wrong, on one line", (said, plain) => {
  expect(runtimeMessage(new Error(said))).toBe(plain);
});
