// The ways by which a file comes to the page: dropped, picked, pasted, taken by the camera.
import { messageOf } from "../../core/errors.ts";
import { createCamera, frameOf, hasCamera } from "./camera.ts";
import { byId } from "./elements.ts";

/** Calls back with every file that is dropped anywhere, picked or pasted. */
export function listenForFiles(onFile: (file: File) => void): void {
  const take = (files: FileList | undefined): void => {
    for (const file of files ?? []) onFile(file);
  };
  for (const id of ["pick-picture", "pick-model"]) {
    const input = byId<HTMLInputElement>(id);
    input.addEventListener("change", () => {
      take(input.files ?? undefined);
      input.value = "";
    });
    byId(`${id}-button`).addEventListener("click", () => input.click());
  }
  addEventListener("paste", (event) => take(event.clipboardData?.files));
  addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    take(event.dataTransfer?.files);
  });
}

/** The camera's dialog: opened by its button, which stays hidden where there can be no camera. */
export function listenForCamera(onPicture: (picture: Blob) => void, onError: (message: string) => void): void {
  const button = byId<HTMLButtonElement>("camera-button");
  const dialog = byId<HTMLDialogElement>("camera");
  const video = byId<HTMLVideoElement>("video");
  const camera = createCamera(dialog, video, onError);
  button.hidden = !hasCamera();
  button.addEventListener("click", () => void camera.open());
  byId("shutter").addEventListener("click", async () => {
    if (video.videoWidth === 0) return;
    try {
      const picture = await frameOf(video);
      dialog.close();
      onPicture(picture);
    } catch (error) {
      dialog.close();
      onError(`The picture cannot be taken: ${messageOf(error)}.`);
    }
  });
  byId("camera-cancel").addEventListener("click", () => dialog.close());
}
