// What the page and its worker say to each other.
import type { DeviceCheck, Prediction, PreprocessSpec } from "../../browser.ts";

/** A model that the site offers, a row of models.json. */
export interface OfferedModel {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
}

/** A model to load: one of the site's, or a file of the visitor's. */
export type ModelSource = OfferedModel | { readonly name: string; readonly file: Blob };

export type Backend = "wasm" | "webgpu";

export type Request =
  | { readonly kind: "load"; readonly model: ModelSource; readonly backend: Backend }
  | { readonly kind: "classify"; readonly picture: Blob }
  | { readonly kind: "explain"; readonly picture: Blob };

export interface Loaded {
  readonly kind: "loaded";
  readonly labels: number;
  readonly preprocess: PreprocessSpec;
  /** It came from the cache: nothing was fetched. */
  readonly cached: boolean;
  /** How the backend was tried; WebAssembly needs samples for it, which the file may not carry. */
  readonly check: Omit<DeviceCheck, "device"> | undefined;
  /** Milliseconds that five crops of a picture take. */
  readonly time: number;
}

/** One crop: where it lies, as fractions of the picture's width and height, and what the model says of it alone. */
export interface SeenView {
  readonly name: string;
  readonly rectangle: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly predictions: readonly Prediction[];
}

export interface Classified {
  readonly kind: "classified";
  /** The picture as it was decoded, perhaps smaller, to draw. */
  readonly bitmap: ImageBitmap;
  readonly width: number;
  readonly height: number;
  readonly predictions: readonly Prediction[];
  readonly views: readonly SeenView[];
  /** Milliseconds. */
  readonly decodeTime: number;
  readonly modelTime: number;
}

/** Which places of the picture spoke for its most probable class. */
export interface Explained {
  readonly kind: "explained";
  readonly label: string;
  /** The heat map's colours with their opacity, in the picture's proportions, to be drawn over it. */
  readonly heat: ImageBitmap;
}

/** Bytes that have arrived, of a total that the list of models states. */
export interface Progress {
  readonly kind: "progress";
  readonly loaded: number;
  readonly total: number;
}

export type Answer = Loaded | Classified | Explained;
export type Reply = { readonly id: number } & (Answer | Progress | { readonly kind: "failed"; readonly message: string });
