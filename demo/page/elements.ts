/** The element of this id. @throws Error where the page has none: its HTML and its script are of different versions. */
export function byId<T extends HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no element '${id}'`);
  return found as T;
}

/** An element with a class and text. */
export function element(tag: string, className = "", text = ""): HTMLElement {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}

/** "five crops" */
export const cropsText = (count: number): string => (count === 1 ? "one crop" : `${count === 5 ? "five" : count} crops`);
