import type { Prediction } from "../../browser.ts";
import { element } from "./elements.ts";

/** Shows predictions as a list of bars, in place of those before. */
export function showBars(list: HTMLElement, predictions: readonly Prediction[]): void {
  list.replaceChildren(
    ...predictions.map(({ label, probability }) => {
      const item = element("li");
      const track = element("span", "track");
      const bar = element("span", "bar");
      bar.style.width = `${100 * probability}%`;
      track.append(bar);
      item.append(element("span", "label", label), element("span", "value", `${(100 * probability).toFixed(1)} %`), track);
      item.dataset.probability = String(probability);
      return item;
    }),
  );
}
