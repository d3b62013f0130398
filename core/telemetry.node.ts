/**
 * ONNX Runtime's library on Linux and macOS tells Microsoft which models it runs, under an identifier that it keeps in the user's cache folder, unless a
 * variable says not to as it starts. It reads the process's own variables, which a worker thread cannot set: this is called before one is started, too.
 * @see https://github.com/microsoft/onnxruntime/pull/27379
 */
export function withoutTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY ??= "1";
}
