// What the second tab and its worker say to each other: wishes go one way, what happened the other.
import type { Approach, EpochRecord, Prediction } from "../../../browser.ts";
import type { Choice } from "../backends.ts";

export interface OwnClass {
  readonly id: number;
  readonly name: string;
}

export interface OwnPicture {
  readonly id: number;
  readonly classId: number;
  readonly name: string;
}

/** What is trained and how long. */
export interface Settings {
  readonly approach: Approach;
  readonly epochs: number;
  /** A mirrored picture shows the same. */
  readonly mirror: boolean;
}

/** A model that was trained here. */
export interface Made {
  readonly labels: readonly string[];
  readonly bytes: number;
  readonly compared: number;
  readonly largestDifference: number;
  readonly last: EpochRecord;
}

/** `interrupted`: there is a checkpoint to go on from. */
export type Phase = "none" | "running" | "interrupted" | "finished";

export interface Run {
  readonly phase: Phase;
  readonly history: readonly EpochRecord[];
  readonly epochs: number;
  /** Which device computes what, and why. */
  readonly notes: readonly string[];
  readonly made?: Made;
}

/** A mean over the epoch under way. */
export interface Point {
  /** Epochs done: 1.25 is a quarter of the second. */
  readonly epoch: number;
  readonly loss: number;
  readonly accuracy: number;
}

export type OwnRequest =
  | { readonly kind: "open" }
  | { readonly kind: "add class"; readonly name: string }
  | { readonly kind: "rename class"; readonly id: number; readonly name: string }
  | { readonly kind: "remove class"; readonly id: number }
  | { readonly kind: "add pictures"; readonly classId: number; readonly files: readonly Blob[] }
  | { readonly kind: "remove picture"; readonly id: number }
  | { readonly kind: "change settings"; readonly settings: Settings }
  | { readonly kind: "train"; readonly device: Choice }
  | { readonly kind: "stop" }
  | { readonly kind: "reset" }
  | { readonly kind: "delete everything" }
  | { readonly kind: "classify"; readonly picture: Blob; readonly device: Choice }
  | { readonly kind: "download" };

export type OwnEvent =
  | { readonly kind: "work"; readonly classes: readonly OwnClass[]; readonly settings: Settings; readonly whyNotKept?: string }
  | { readonly kind: "picture"; readonly picture: OwnPicture; readonly thumbnail: ImageBitmap }
  | { readonly kind: "removed"; readonly ids: readonly number[] }
  /** `isCurrent`: of the pictures, classes and settings as they are now. */
  | { readonly kind: "run"; readonly run: Run; readonly isCurrent: boolean }
  | { readonly kind: "doing"; readonly text: string; readonly done?: number; readonly total?: number }
  | { readonly kind: "point"; readonly point: Point; readonly step: number; readonly steps: number }
  | { readonly kind: "classified"; readonly picture: Blob; readonly predictions: readonly Prediction[]; readonly milliseconds: number }
  | { readonly kind: "file"; readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }
  | { readonly kind: "failed"; readonly message: string }
  | { readonly kind: "idle" };
