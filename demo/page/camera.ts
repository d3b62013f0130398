// A camera in a dialog, as both tabs have one.
import { messageOf } from "../../core/errors.ts";

/** Whether there can be a camera: not where the page is served insecurely. */
export const hasCamera = (): boolean => Boolean(navigator.mediaDevices?.getUserMedia);

export interface FrameOptions {
  /** A larger frame is shrunk to it, in pixels. */
  readonly longestSide?: number;
  readonly type?: "image/png" | "image/jpeg";
  /** Of a JPEG, 0 to 1. */
  readonly quality?: number;
}

/** What a video shows now, as a PNG where no type is given. @throws Error where the browser gives no canvas for it */
export async function frameOf(
  video: HTMLVideoElement,
  { longestSide = Number.POSITIVE_INFINITY, type = "image/png", quality }: FrameOptions = {},
): Promise<Blob> {
  const scale = Math.min(1, longestSide / Math.max(video.videoWidth, video.videoHeight));
  const canvas = new OffscreenCanvas(Math.round(video.videoWidth * scale), Math.round(video.videoHeight * scale));
  const context = canvas.getContext("2d");
  if (!context) throw new Error(`this browser gives no canvas of ${canvas.width}×${canvas.height} pixels`);
  context.drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas.convertToBlob({ type, quality });
}

export interface Camera {
  /** @returns whether the dialog shows what the camera sees: not where it was asked for already, was refused, or the dialog is closed by now */
  open(): Promise<boolean>;
}

/** The camera whose pictures `video` shows in `dialog`, until that is closed. @param onError is told why there is none */
export function createCamera(dialog: HTMLDialogElement, video: HTMLVideoElement, onError: (message: string) => void): Camera {
  let stream: MediaStream | undefined;
  let asking = false;
  const stop = (): void => {
    for (const track of stream?.getTracks() ?? []) track.stop();
    stream = undefined;
    video.srcObject = null;
  };
  dialog.addEventListener("close", stop);
  return {
    async open() {
      if (asking) return false; // the visitor has not yet answered whether the camera may be used
      asking = true;
      let shown = false;
      try {
        stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment", width: { ideal: 1280 } } });
        video.srcObject = stream;
        dialog.showModal();
        shown = true;
        await video.play();
        return dialog.open;
      } catch (error) {
        const closed = shown && !dialog.open; // by the visitor, before it played
        stop();
        dialog.close();
        if (!closed) onError(`The camera cannot be used: ${messageOf(error)}.`);
        return false;
      } finally {
        asking = false;
      }
    },
  };
}
