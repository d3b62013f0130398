import { join } from "node:path";
import type { Resident, Session, SessionMaker } from "../../core/session.ts";
import { type Tensor, tensor } from "../../core/tensor.ts";
import type { LaunchOptions } from "./chromium.ts";
import { openScript, type ScriptPage } from "./library-page.ts";
import type { Held, PageSessions, Wire } from "./sessions.entry.ts";

declare const pageSessions: PageSessions;

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("base64");
const toWire = ({ dtype, shape, data }: Tensor): Wire => ({
  dtype,
  shape,
  base64: Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("base64"),
});
const fromWire = ({ dtype, shape, base64: text }: Wire): Tensor =>
  tensor(dtype, shape, new Float32Array(Uint8Array.from(Buffer.from(text, "base64")).buffer));

/** Sessions in Chromium for an engine in this process: float32 alone, and what is kept stays in the page. */
export async function openSessions(options: LaunchOptions): Promise<ScriptPage & { readonly createSession: SessionMaker }> {
  const script = await openScript({ entryPoints: [join(import.meta.dirname, "sessions.entry.ts")] }, "", new Map(), options);
  const { page } = script;
  const toResident = ({ held, shape }: Held): Resident => ({
    shape,
    resident: held,
    release: () => void page.evaluate((id) => pageSessions.release(id), held),
  });
  const createSession: SessionMaker = async (model, how = {}) => {
    const { id, inputs, outputs } = await page.evaluate(([text, o]) => pageSessions.make(text, o), [base64(model), how] as const);
    const runOnDevice: NonNullable<Session["runOnDevice"]> = async (feeds, fetches) => {
      const given = Object.fromEntries(
        Object.entries(feeds).map(([name, fed]): [string, Wire | Held] => [
          name,
          "resident" in fed ? { held: fed.resident as number, shape: fed.shape } : toWire(fed),
        ]),
      );
      const { results, kept } = await page.evaluate(([at, f, wanted]) => pageSessions.run(at, f, wanted), [id, given, fetches] as const);
      return {
        results: Object.fromEntries(Object.entries(results).map(([name, wire]) => [name, fromWire(wire)])),
        kept: Object.fromEntries(Object.entries(kept).map(([name, held]) => [name, toResident(held)])),
      };
    };
    return {
      inputs,
      outputs,
      runOnDevice,
      run: () => Promise.reject(new Error("what runs on a device runs there")),
      dispose: () => page.evaluate((at) => pageSessions.dispose(at), id),
    };
  };
  return { ...script, createSession };
}
