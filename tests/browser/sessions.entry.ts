// Sessions in a page, for tests: tensors come and go as text, what stays on the device by a number.
import { createSession } from "../../core/session.browser.ts";
import type { Resident, Session, SessionOptions } from "../../core/session.ts";
import { type DType, type Tensor, tensor } from "../../core/tensor.ts";

/** A tensor as text. */
export interface Wire {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly base64: string;
}

/** What was left on the device. */
export interface Held {
  readonly held: number;
  readonly shape: readonly number[];
}

const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

function textOf({ data }: Tensor): string {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

const made = new Map<number, Session>();
const residents = new Map<number, Resident>();
let next = 0;

const pageSessions = {
  async make(base64: string, options: SessionOptions) {
    const session = await createSession(bytesOf(base64), options);
    made.set(++next, session);
    return { id: next, inputs: session.inputs, outputs: session.outputs };
  },
  async run(id: number, feeds: Readonly<Record<string, Wire | Held>>, fetches: readonly string[]) {
    const given = Object.fromEntries(
      Object.entries(feeds).map(([name, fed]) => [
        name,
        "held" in fed ? residents.get(fed.held)! : tensor(fed.dtype, fed.shape, new Float32Array(bytesOf(fed.base64).buffer)),
      ]),
    );
    const { results, kept } = await made.get(id)!.runOnDevice!(given, fetches);
    const wired = Object.entries(results).map(([name, t]): [string, Wire] => [name, { dtype: t.dtype, shape: t.shape, base64: textOf(t) }]);
    const held = Object.entries(kept).map(([name, resident]): [string, Held] => {
      residents.set(++next, resident);
      return [name, { held: next, shape: resident.shape }];
    });
    return { results: Object.fromEntries(wired), kept: Object.fromEntries(held) };
  },
  release(held: number) {
    residents.get(held)?.release();
    residents.delete(held);
  },
  dispose: async (id: number) => made.get(id)?.dispose(),
};

export type PageSessions = typeof pageSessions;
Object.assign(globalThis, { pageSessions });
