// What the page and its worker say to each other.
import type { ClassifierOptions, DeviceCheck, ForeignModel, Prediction, PreprocessSpec } from "../../browser.ts";

/** A model that the site offers, a row of models.json. */
export interface OfferedModel {
  readonly name: string;
  readonly url: string;
  readonly bytes: number;
}

/** What the visitor says of a file that does not say it. */
export interface Said extends Required<Pick<ClassifierOptions, "labels" | "preprocess" | "outputKind">> {
  /** The labels' file; none where they are numbers. */
  readonly labelsFile: string | undefined;
}

/** A file of the visitor's. */
export interface OwnModel {
  readonly name: string;
  readonly file: Blob;
  readonly said?: Said;
}

/** A model to load: one of the site's, or a file of the visitor's. */
export type ModelSource = OfferedModel | OwnModel;

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
  /** Milliseconds that a picture's crops take, and how many these are. */
  readonly time: number;
  readonly crops: number;
}

/** One crop: where it lies, as fractions of the picture's width and height, and what the model says of it alone: nothing where its graph averages itself. */
export interface SeenView {
  readonly name: string;
  readonly rectangle: { readonly x: number; readonly y: number; readonly width: number; readonly height: number };
  readonly flip: boolean;
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
/** @property foreign where the model is to be used once its labels and preprocessing are said */
export type Failed = { readonly kind: "failed"; readonly message: string; readonly foreign?: ForeignModel };
export type Reply = { readonly id: number } & (Answer | Progress | Failed);
