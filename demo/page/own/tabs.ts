import { byId } from "../elements.ts";

const TABS = ["classify", "own"] as const;
type Tab = (typeof TABS)[number];
const HASH = "#own";

/** Which of the two is shown: the address says it, so that it stays after a reload. */
export const isOwnShown = (): boolean => location.hash === HASH;

/** Shows a panel for its tab, by a press, the arrow keys or the address. */
export function listenForTabs(onOwn: () => void): void {
  const show = (): void => {
    const chosen: Tab = isOwnShown() ? "own" : "classify";
    document.body.dataset.tab = chosen;
    for (const tab of TABS) {
      const button = byId(`${tab}-tab`);
      button.setAttribute("aria-selected", String(tab === chosen));
      button.tabIndex = tab === chosen ? 0 : -1;
      byId(`${tab}-panel`).hidden = tab !== chosen;
    }
    if (chosen === "own") onOwn();
  };
  const choose = (tab: Tab): void => {
    history.replaceState(null, "", tab === "own" ? HASH : location.pathname + location.search);
    show();
  };
  TABS.forEach((tab, i) => {
    const button = byId(`${tab}-tab`);
    button.addEventListener("click", () => choose(tab));
    button.addEventListener("keydown", ({ key }) => {
      if (key !== "ArrowLeft" && key !== "ArrowRight") return;
      const other = TABS[(i + 1) % TABS.length];
      choose(other);
      byId(`${other}-tab`).focus();
    });
  });
  addEventListener("hashchange", show);
  show();
}
