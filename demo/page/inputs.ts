// The ways by which a file comes to the page: dropped, picked, pasted, taken by the camera.
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

async function takePicture(video: HTMLVideoElement): Promise<Blob> {
  const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
  const context = canvas.getContext("2d");
  if (!context) throw new Error(`this browser gives no canvas of ${canvas.width}×${canvas.height} pixels`);
  context.drawImage(video, 0, 0);
  return canvas.convertToBlob({ type: "image/png" });
}

/** The camera's dialog: opened by its button, which stays hidden where there can be no camera. */
export function listenForCamera(onPicture: (picture: Blob) => void, onError: (message: string) => void): void {
  const button = byId<HTMLButtonElement>("camera-button");
  const dialog = byId<HTMLDialogElement>("camera");
  const video = byId<HTMLVideoElement>("video");
  const shutter = byId<HTMLButtonElement>("shutter");
  button.hidden = !navigator.mediaDevices?.getUserMedia;
  let stream: MediaStream | undefined;
  let asking = false;
  const stop = (): void => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    video.srcObject = null;
  };
  button.addEventListener("click", async () => {
    if (asking) return; // the visitor has not yet answered whether the camera may be used
    asking = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      video.srcObject = stream;
      dialog.showModal();
      await video.play();
    } catch (error) {
      stop();
      onError(`The camera cannot be used: ${error instanceof Error ? error.message : String(error)}.`);
    } finally {
      asking = false;
    }
  });
  shutter.addEventListener("click", async () => {
    if (video.videoWidth === 0) return;
    try {
      const picture = await takePicture(video);
      dialog.close();
      onPicture(picture);
    } catch (error) {
      dialog.close();
      onError(`The picture cannot be taken: ${error instanceof Error ? error.message : String(error)}.`);
    }
  });
  byId("camera-cancel").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", stop);
}
