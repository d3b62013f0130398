import { messageOf } from "../../core/errors.ts";
import { type Choice, isSuperseded, nameOf, openModel } from "./backends.ts";
import { type Client, Unsaid } from "./client.ts";
import { byId, cropsText } from "./elements.ts";
import { forgetOtherModels } from "./fetch-model.ts";
import { askOf, showSaid, takeLabels } from "./foreign.ts";
import { listenForCamera, listenForFiles } from "./inputs.ts";
import type { ModelSource, OfferedModel, OwnModel } from "./messages.ts";
import { showHeat, showResults } from "./results.ts";

const select = byId<HTMLSelectElement>("model");
const backend = byId<HTMLSelectElement>("backend");
const why = byId<HTMLInputElement>("why");
const progress = byId<HTMLProgressElement>("progress");
const models: ModelSource[] = [];
let client: Client | undefined;
/** The model that answers. */
let current: ModelSource | undefined;
let picture: Blob | undefined;
let pending = 0;

function say(text: string, kind: "plain" | "error" = "plain"): void {
  const status = byId("status");
  status.textContent = text;
  status.dataset.kind = kind;
}

/** Runs one task; the body is marked busy meanwhile, and what fails is said. */
async function attempt(task: () => Promise<void>): Promise<void> {
  pending++;
  document.body.setAttribute("aria-busy", "true");
  try {
    await task();
  } catch (error) {
    if (!isSuperseded(error)) say(messageOf(error), "error");
  } finally {
    if (--pending === 0) document.body.removeAttribute("aria-busy");
    progress.hidden = true;
  }
}

const classify = (): Promise<void> =>
  attempt(async () => {
    const [asked, by] = [picture, client];
    if (!asked) return;
    if (!by) throw new Error("No model is loaded yet: choose one first.");
    say("Looking at the picture …");
    const result = await by.classify(asked).catch((error) => {
      if (by === client) throw error;
    });
    if (!result) return; // another backend looks at it
    if (asked !== picture || by !== client) {
      result.bitmap.close(); // another picture or another backend came meanwhile
      return;
    }
    showResults(result);
    void explain();
    const times = `decoding ${Math.round(result.decodeTime)} ms, ${cropsText(result.views.length)} ${Math.round(result.modelTime)} ms`;
    say(`${Math.round(result.decodeTime + result.modelTime)} ms: ${times}, ${nameOf(by.backend)}`);
  });

function sayWhy(text: string, kind: "plain" | "error" = "plain"): void {
  const status = byId("why-status");
  status.textContent = text;
  status.dataset.kind = kind;
}

/** Where it is asked for, lays over the picture what spoke for its most probable class. */
const explain = (): Promise<void> =>
  attempt(async () => {
    const [asked, by] = [picture, client];
    sayWhy("");
    if (!asked || !by || !why.checked) return showHeat(undefined);
    sayWhy("Asking why …");
    try {
      const explained = await by.explain(asked);
      if (asked === picture && by === client && why.checked) {
        showHeat(explained);
        sayWhy(`Bright places speak for ${explained.label}, the brighter the more.`);
      } else explained.heat.close();
    } catch (error) {
      if (asked === picture && by === client && why.checked) sayWhy(messageOf(error), "error");
    }
  });
why.addEventListener("change", () => void explain());

/** The page's own files are in the browser's store, or will not be. */
const stored: Promise<unknown> =
  "serviceWorker" in navigator
    ? navigator.serviceWorker.register("service-worker.js").then(
        async () => {
          await navigator.serviceWorker.ready;
          byId("offline").hidden = false;
        },
        () => undefined, // private windows refuse it: the page works, online
      )
    : Promise.resolve();

const load = (model: ModelSource): Promise<void> =>
  attempt(async () => {
    say(`Loading ${model.name} …`);
    progress.hidden = false;
    progress.removeAttribute("value");
    let opened: Client | undefined;
    const opening = openModel(model, {
      choice: backend.value as Choice,
      stored,
      onProgress: ({ loaded, total }) => {
        progress.value = loaded / total;
        say(loaded < total ? `Loading ${model.name}: ${Math.floor((100 * loaded) / total)} %` : `Starting ${model.name} …`);
      },
      onOpened: ({ client: ready, loaded: { labels, preprocess, cached }, note }) => {
        byId("backend-status").textContent = note;
        if (ready === opened) return;
        const [height, width] = preprocess.crop;
        const origin = cached ? ", from this browser's cache" : "";
        if (!opened) say(`${model.name}${origin}: ${labels} classes, crops of ${width} × ${height} pixels. Give it a picture.`);
        client = opened = ready;
        current = model;
        showSaid(model);
        void classify();
      },
    });
    await opening.catch((error) => {
      if (isSuperseded(error)) throw error;
      if (current) select.selectedIndex = models.indexOf(current); // the picker names what answers
      if (!(error instanceof Unsaid) || !("file" in model)) throw error;
      say(error.message);
      askOf(model, error.foreign, (said) => use({ ...model, said }));
    });
  });

/** A file's model as it is said to be now, in its own place. */
function use(model: OwnModel): void {
  const i = models.findIndex((one) => "file" in one && one.file === model.file);
  models[i] = model;
  select.selectedIndex = i;
  void load(model);
}

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
  } else if (!takeLabels(file)) {
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

const KEPT_CHOICE = "fivecrop-backend";

/** What the browser remembers for this page; reading its store throws where a visitor has blocked it, and then nothing is remembered. */
function remembered(): string | null {
  try {
    return localStorage.getItem(KEPT_CHOICE);
  } catch {
    return null;
  }
}
function remember(choice: string): void {
  try {
    localStorage.setItem(KEPT_CHOICE, choice);
  } catch {
    // blocked or full: the choice holds until the page is closed
  }
}
const kept = remembered();
if (Array.from(backend.options, ({ value }) => value).includes(kept ?? "")) backend.value = kept as Choice;
backend.addEventListener("change", () => {
  remember(backend.value);
  if (models.length > 0) void load(models[select.selectedIndex]);
});

void attempt(async () => {
  const response = await fetch("models.json");
  if (!response.ok) throw new Error(`The list of models cannot be read: the server answered ${response.status}.`);
  const offered: readonly OfferedModel[] = await response.json();
  for (const model of offered) offer(model);
  await forgetOtherModels(offered).catch(() => undefined); // it only frees room
  if (models.length > 0) await load(models[0]);
  else say("There is no model here yet: drop an .onnx file.");
});
