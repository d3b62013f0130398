// The camera for one's own pictures: one by one, or five a second while it is asked to.
import { messageOf } from "../../../core/errors.ts";
import { createCamera, frameOf } from "../camera.ts";
import { byId } from "../elements.ts";

const PER_SECOND = 5;
/** What the networks look at is smaller. */
const FRAME = { longestSide: 640, type: "image/jpeg", quality: 0.92 } as const;

export interface CameraUse {
  /** What the pictures are for. */
  readonly title: string;
  /** One picture is enough: the dialog closes. */
  readonly once: boolean;
  readonly onPicture: (picture: Blob) => void;
}

/** The dialog. @returns what opens it */
export function cameraDialog(onError: (message: string) => void): (use: CameraUse) => Promise<void> {
  const dialog = byId<HTMLDialogElement>("own-camera");
  const video = byId<HTMLVideoElement>("own-video");
  const record = byId<HTMLButtonElement>("own-record");
  const camera = createCamera(dialog, video, onError);
  let use: CameraUse | undefined;
  let recording: ReturnType<typeof setInterval> | undefined;
  let taken = 0;
  const stopRecording = (): void => {
    clearInterval(recording);
    recording = undefined;
    record.setAttribute("aria-pressed", "false");
    record.textContent = "Record five a second";
  };
  const show = (wanted: CameraUse | undefined): void => {
    use = wanted;
    byId("own-camera-count").textContent = use ? `${use.title}${taken > 0 ? `: ${taken} taken` : ""}` : "";
    record.hidden = !use || use.once;
  };
  const take = async (): Promise<void> => {
    const by = use;
    if (!by || video.videoWidth === 0) return;
    try {
      const picture = await frameOf(video, FRAME);
      if (by !== use) return; // closed meanwhile
      taken++;
      show(by);
      by.onPicture(picture);
      if (by.once) dialog.close();
    } catch (error) {
      if (by !== use) return;
      show(undefined);
      dialog.close();
      onError(`The picture cannot be taken: ${messageOf(error)}.`);
    }
  };
  byId("own-shutter").addEventListener("click", () => void take());
  record.addEventListener("click", () => {
    if (recording) return stopRecording();
    recording = setInterval(() => void take(), 1000 / PER_SECOND);
    record.setAttribute("aria-pressed", "true");
    record.textContent = "Stop recording";
  });
  byId("own-camera-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    stopRecording();
    show(undefined);
  });
  return async (wanted) => {
    if (!(await camera.open())) return;
    taken = 0;
    show(wanted);
  };
}
