import { byId } from "../elements.ts";

/** The dialog that asks before something is deleted. @returns what opens it */
export function confirmDialog(): (question: string, then: () => void) => void {
  const dialog = byId<HTMLDialogElement>("own-confirm");
  let confirmed: () => void = () => undefined;
  byId("own-confirm-no").addEventListener("click", () => dialog.close());
  byId("own-confirm-yes").addEventListener("click", () => {
    dialog.close();
    confirmed();
  });
  return (question, then) => {
    confirmed = then;
    byId("own-confirm-text").textContent = question;
    dialog.showModal();
  };
}
