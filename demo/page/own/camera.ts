// The camera for one's own pictures: one by one, or five a second while it is asked to.
import { byId } from "../elements.ts";

const PER_SECOND = 5;
/** Of a frame: what the networks look at is smaller. */
const LONGEST_SIDE = 640;

async function frameOf(video: HTMLVideoElement): Promise<Blob> {
  const scale = Math.min(1, LONGEST_SIDE / Math.max(video.videoWidth, video.videoHeight));
  const canvas = new OffscreenCanvas(Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
  canvas.getContext("2d")?.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type: "image/jpeg", quality: 0.92 });
}

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
  let stream: MediaStream | undefined;
  let use: CameraUse | undefined;
  let recording: ReturnType<typeof setInterval> | undefined;
  let taken = 0;
  const stopRecording = (): void => {
    clearInterval(recording);
    recording = undefined;
    record.setAttribute("aria-pressed", "false");
    record.textContent = "Record five a second";
  };
  const stop = (): void => {
    stopRecording();
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
    use = undefined;
  };
  const count = (): void => {
    byId("own-camera-count").textContent = use ? `${use.title}${taken > 0 ? `: ${taken} taken` : ""}` : "";
  };
  const take = async (): Promise<void> => {
    const by = use;
    if (!by || video.videoWidth === 0) return;
    const picture = await frameOf(video);
    if (by !== use) return; // closed meanwhile
    taken++;
    count();
    by.onPicture(picture);
    if (by.once) dialog.close();
  };
  byId("own-shutter").addEventListener("click", () => void take());
  record.addEventListener("click", () => {
    if (recording) return stopRecording();
    recording = setInterval(() => void take(), 1000 / PER_SECOND);
    record.setAttribute("aria-pressed", "true");
    record.textContent = "Stop recording";
  });
  byId("own-camera-close").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", stop);
  let asking = false;
  return async (wanted) => {
    if (asking) return; // the visitor has not yet answered whether the camera may be used
    asking = true;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
      use = wanted;
      taken = 0;
      count();
      record.hidden = wanted.once;
      video.srcObject = stream;
      dialog.showModal();
      await video.play();
    } catch (error) {
      stop();
      onError(`The camera cannot be used: ${error instanceof Error ? error.message : String(error)}.`);
    } finally {
      asking = false;
    }
  };
}
