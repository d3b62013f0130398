// The page behind `fivecrop verify --browser`: it replays the samples on each device that it is told, and says what it found.
import { messageOf } from "../core/errors.ts";
import type { FromPage, Job } from "./verify-browser.node.ts";
import { verifyModel } from "./verify-model.browser.ts";

const tell = async (inbox: string, message: FromPage): Promise<void> => {
  await fetch(inbox, { method: "POST", body: JSON.stringify(message) });
};

const { devices, inbox, name }: Job = await (await fetch("job.json")).json();
await tell(inbox, { kind: "started", browser: navigator.userAgent });
const model = new Uint8Array(await (await fetch("model.onnx")).arrayBuffer());
for (const device of devices) {
  try {
    const verification = await verifyModel(model, { device, name });
    await tell(inbox, { kind: "verified", device, verification });
  } catch (error) {
    await tell(inbox, { kind: "failed", device, message: messageOf(error) });
  }
}
