import { createClient } from "./client.ts";
import { byId } from "./elements.ts";
import { listenForCamera, listenForFiles } from "./inputs.ts";
import type { ModelSource, OfferedModel } from "./messages.ts";
import { showResults } from "./results.ts";

const client = createClient();
const select = byId<HTMLSelectElement>("model");
const progress = byId<HTMLProgressElement>("progress");
const models: ModelSource[] = [];
let picture: Blob | undefined;
let pending = 0;

function say(text: string, kind: "plain" | "error" = "plain"): void {
  const status = byId("status");
  status.textContent = text;
  status.dataset.kind = kind;
}

const THREADS = crossOriginIsolated ? "threads" : "one thread (the page is not cross-origin isolated)";

/** Runs one task; the body is marked busy meanwhile, and what fails is said. */
async function attempt(task: () => Promise<void>): Promise<void> {
  pending++;
  document.body.setAttribute("aria-busy", "true");
  try {
    await task();
  } catch (error) {
    say(error instanceof Error ? error.message : String(error), "error");
  } finally {
    if (--pending === 0) document.body.removeAttribute("aria-busy");
    progress.hidden = true;
  }
}

const classify = (): Promise<void> =>
  attempt(async () => {
    const asked = picture;
    if (!asked) return;
    say("Looking at the picture …");
    const result = await client.classify(asked);
    if (asked !== picture) {
      result.bitmap.close(); // another picture came meanwhile
      return;
    }
    showResults(result);
    const times = `decoding ${Math.round(result.decodeTime)} ms, five crops ${Math.round(result.modelTime)} ms`;
    say(`${Math.round(result.decodeTime + result.modelTime)} ms: ${times}, WebAssembly with ${THREADS}`);
  });

const load = (model: ModelSource): Promise<void> =>
  attempt(async () => {
    say(`Loading ${model.name} …`);
    progress.hidden = false;
    progress.removeAttribute("value");
    const { labels, preprocess, cached } = await client.load(model, ({ loaded, total }) => {
      progress.value = loaded / total;
      say(loaded < total ? `Loading ${model.name}: ${Math.floor((100 * loaded) / total)} %` : `Starting ${model.name} …`);
    });
    const [height, width] = preprocess.crop;
    say(
      `${model.name}${cached ? ", from this browser's cache" : ""}: ${labels} classes, crops of ${width} × ${height} pixels. Give it a picture.`,
    );
    progress.hidden = true;
    await classify();
  });

function offer(model: ModelSource): void {
  models.push(model);
  const option = document.createElement("option");
  option.textContent = model.name;
  select.append(option);
  select.disabled = false;
}

listenForFiles((file) => {
  if (/\.onnx$/i.test(file.name)) {
    offer({ name: file.name, file });
    select.selectedIndex = models.length - 1;
    void load(models[models.length - 1]);
  } else {
    picture = file;
    void classify();
  }
});
listenForCamera(
  (taken) => {
    picture = taken;
    void classify();
  },
  (message) => say(message, "error"),
);
select.addEventListener("change", () => void load(models[select.selectedIndex]));

if ("serviceWorker" in navigator)
  navigator.serviceWorker.register("service-worker.js").then(
    async () => {
      await navigator.serviceWorker.ready;
      byId("offline").hidden = false;
    },
    () => undefined, // private windows refuse it: the page works, online
  );

void attempt(async () => {
  const response = await fetch("models.json");
  if (!response.ok) throw new Error(`The list of models cannot be read: the server answered ${response.status}.`);
  for (const model of (await response.json()) as readonly OfferedModel[]) offer(model);
  if (models.length > 0) await load(models[0]);
  else say("There is no model here yet: drop an .onnx file that fivecrop exported.");
});
