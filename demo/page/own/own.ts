// The second tab: make a classifier from one's own pictures. Everything that computes or keeps is in its worker.
import type { Choice } from "../backends.ts";
import { hasCamera } from "../camera.ts";
import { byId } from "../elements.ts";
import { cameraDialog } from "./camera.ts";
import { createCards } from "./classes.ts";
import { confirmDialog } from "./confirm.ts";
import type { OwnEvent, OwnRequest } from "./messages.ts";
import { say, settingsShown, showAnswer, showDoing, showIdle, showPoint, showRun, showSettings } from "./panel.ts";
import { isOwnShown, listenForTabs } from "./tabs.ts";

let worker: Worker | undefined;
const ask = (request: OwnRequest): void => worker?.postMessage(request);
const device = (): Choice => byId<HTMLSelectElement>("backend").value as Choice;
const fail = (message: string): void => say(message, "error");

const files = byId<HTMLInputElement>("own-files");
let onPicked: (picked: readonly File[]) => void = () => undefined;
const pick = (many: boolean, then: typeof onPicked): void => {
  onPicked = then;
  files.multiple = many;
  files.click();
};
files.addEventListener("change", () => {
  onPicked([...(files.files ?? [])]);
  files.value = "";
});

const confirmed = confirmDialog();
const openCamera = cameraDialog(fail);
const addTo = (classId: number, pictures: readonly Blob[]): void => {
  if (pictures.length > 0) ask({ kind: "add pictures", classId, files: pictures });
};
const classify = (picture: Blob | undefined): void => {
  if (picture) ask({ kind: "classify", picture, device: device() });
};
const cards = createCards({
  ask,
  removeClass: ({ id, name }, pictures) => {
    const remove = (): void => ask({ kind: "remove class", id });
    if (pictures === 0) remove();
    else confirmed(`Remove the class “${name}” and its ${pictures === 1 ? "picture" : `${pictures} pictures`}?`, remove);
  },
  pickFor: (classId) => pick(true, (picked) => addTo(classId, picked)),
  recordFor: ({ id, name }) => void openCamera({ title: name, once: false, onPicture: (picture) => addTo(id, [picture]) }),
});

function save(name: string, bytes: Uint8Array<ArrayBuffer>): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

const SHOW: { readonly [K in OwnEvent["kind"]]: (event: Extract<OwnEvent, { readonly kind: K }>) => void } = {
  work: ({ classes, settings, whyNotKept }) => {
    cards.show(classes);
    showSettings(settings);
    byId("own-kept").textContent =
      whyNotKept === undefined
        ? "Pictures and what is trained are kept in this browser's own storage until you delete them; no server sees them."
        : `This browser keeps nothing here (${whyNotKept}): pictures and what is trained end with this page.`;
  },
  picture: ({ picture, thumbnail }) => cards.add(picture, thumbnail),
  removed: ({ ids }) => cards.remove(ids),
  run: ({ run, isCurrent }) => showRun(run, isCurrent),
  doing: showDoing,
  point: ({ point, step, steps }) => showPoint(point, step, steps),
  classified: ({ picture, predictions, milliseconds }) => void showAnswer(picture, predictions, milliseconds),
  file: ({ name, bytes }) => save(name, bytes),
  failed: ({ message }) => fail(message),
  idle: showIdle,
};

/** What may come many times a second: the latest of each is drawn, four times a second. */
const FREQUENT: readonly OwnEvent["kind"][] = ["doing", "point", "run"];
const DRAW_MS = 250;
const latest = new Map<OwnEvent["kind"], OwnEvent>();
let drawing: ReturnType<typeof setTimeout> | undefined;

function drawLatest(): void {
  clearTimeout(drawing);
  drawing = undefined;
  const events = [...latest.values()];
  latest.clear();
  for (const event of events) SHOW[event.kind](event as never);
}

/** In their order, but for what is soon followed by the same again. */
function hear(event: OwnEvent): void {
  if (FREQUENT.includes(event.kind)) {
    latest.delete(event.kind);
    latest.set(event.kind, event);
    drawing ??= setTimeout(() => requestAnimationFrame(drawLatest), DRAW_MS);
  } else {
    drawLatest();
    SHOW[event.kind](event as never);
  }
}

function open(): void {
  if (worker) return;
  worker = new Worker(new URL("own-worker.js", document.baseURI), { type: "module" });
  worker.addEventListener("message", ({ data }: MessageEvent<OwnEvent>) => hear(data));
  worker.addEventListener("error", ({ message }) =>
    fail(`The page's worker stopped: ${message || "it could not be loaded"}. Load the page again.`),
  );
  ask({ kind: "open" });
}

/** Where something was dropped: on a class, or on the place to try. */
function listenForDrops(): void {
  const place = ({ target }: Event): HTMLElement | null =>
    target instanceof Element ? target.closest<HTMLElement>(".own-class, #own-stage") : null;
  const mark = (marked: Element | null): void => {
    for (const other of document.querySelectorAll(".over")) if (other !== marked) other.classList.remove("over");
    marked?.classList.add("over");
  };
  document.addEventListener("dragover", (event) => {
    if (isOwnShown()) mark(place(event));
  });
  const take = (event: DragEvent | ClipboardEvent, given: FileList | undefined): void => {
    if (!isOwnShown()) return;
    event.preventDefault();
    event.stopPropagation(); // the other tab hears of it at the window
    document.body.classList.remove("dragging");
    mark(null);
    const at = place(event);
    const classId = at?.dataset.class;
    if (!given?.length || byId("own-panel").classList.contains("running")) return;
    if (classId !== undefined) addTo(Number(classId), [...given]);
    else if (!byId("own-made").hidden) classify(given[0]);
    else fail("Drop pictures on the class that they show.");
  };
  document.addEventListener("drop", (event) => take(event, event.dataTransfer?.files));
  document.addEventListener("paste", (event) => {
    if (event.clipboardData?.files.length) take(event, event.clipboardData.files);
  });
}

byId("own-add-class").addEventListener("click", () =>
  ask({ kind: "add class", name: `Class ${document.querySelectorAll(".own-class").length + 1}` }),
);
for (const input of document.querySelectorAll("#own-settings input"))
  input.addEventListener("change", () => ask({ kind: "change settings", settings: settingsShown() }));
byId("own-train").addEventListener("click", () => ask({ kind: "train", device: device() }));
byId("own-stop").addEventListener("click", () => {
  say("Stopping …");
  ask({ kind: "stop" });
});
byId("own-reset").addEventListener("click", () => ask({ kind: "reset" }));
byId("own-pick").addEventListener("click", () => pick(false, ([picture]) => classify(picture)));
byId("own-camera-classify").hidden = !hasCamera();
byId("own-camera-classify").addEventListener("click", () => void openCamera({ title: "What is this?", once: true, onPicture: classify }));
byId("own-download").addEventListener("click", () => ask({ kind: "download" }));
byId("own-delete").addEventListener("click", () =>
  confirmed("Delete all classes, pictures and what was trained from this browser? This cannot be undone.", () =>
    ask({ kind: "delete everything" }),
  ),
);
listenForDrops();
listenForTabs(open);
