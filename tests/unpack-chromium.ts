import { npmBrowser } from "../core/chromium.node.ts";

/** npm's Chromium, and the software adapter that comes with it, are unpacked once, before tests that run at the same time look for them. */
export const setup = async (): Promise<void> => {
  await npmBrowser();
};
