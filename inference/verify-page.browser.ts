// The page behind `fivecrop verify --browser`: it replays the samples on each device that it is told, and says what it found.
import { FivecropError, messageOf } from "../core/errors.ts";
import type { FromPage, Job } from "./verify-browser.node.ts";
import { verifyModel } from "./verify-model.browser.ts";

const tell = async (inbox: string, message: FromPage): Promise<void> => {
  await fetch(inbox, { method: "POST", body: JSON.stringify(message) });
};

async function fetchModel(): Promise<Uint8Array> {
  const response = await fetch("model.onnx");
  if (!response.ok) throw new FivecropError(`the page could not fetch the model: the server answered ${response.status}`);
  return new Uint8Array(await response.arrayBuffer());
}

const { devices, inbox, name }: Job = await (await fetch("job.json")).json();
await tell(inbox, { kind: "started", browser: navigator.userAgent });
let model: Promise<Uint8Array> | undefined;
for (const device of devices) {
  try {
    model ??= fetchModel();
    const verification = await verifyModel(await model, { device, name });
    await tell(inbox, { kind: "verified", device, verification });
  } catch (error) {
    await tell(inbox, { kind: "failed", device, message: messageOf(error) });
  }
}
