// The classes and their pictures, as cards.
import { hasCamera } from "../camera.ts";
import { byId, element } from "../elements.ts";
import type { OwnClass, OwnPicture, OwnRequest } from "./messages.ts";
import { SIDE } from "./thumbnails.ts";

export interface CardActions {
  readonly ask: (request: OwnRequest) => void;
  readonly pickFor: (classId: number) => void;
  readonly removeClass: (wanted: OwnClass, pictures: number) => void;
  readonly recordFor: (wanted: OwnClass) => void;
}

export interface Cards {
  show(classes: readonly OwnClass[]): void;
  add(picture: OwnPicture, thumbnail: ImageBitmap): void;
  remove(ids: readonly number[]): void;
}

function button(label: string, onPress: () => void, className = ""): HTMLButtonElement {
  const made = element("button", className, label) as HTMLButtonElement;
  made.type = "button";
  made.addEventListener("click", onPress);
  return made;
}

interface Card {
  readonly item: HTMLElement;
  readonly name: HTMLInputElement;
  readonly grid: HTMLElement;
  readonly count: HTMLElement;
}

function createCard(one: OwnClass, { ask, pickFor, recordFor, removeClass }: CardActions): Card {
  const item = element("li", "card own-class");
  item.dataset.class = String(one.id);
  const name = document.createElement("input");
  name.type = "text";
  name.value = one.name;
  name.maxLength = 60;
  name.setAttribute("aria-label", "Name of the class");
  name.addEventListener("change", () => {
    name.value = name.value.trim() || one.name;
    ask({ kind: "rename class", id: one.id, name: name.value });
  });
  const count = element("span", "soft count");
  const grid = element("ul", "own-grid");
  const head = element("div", "own-head");
  const remove = button("Remove", () => removeClass({ id: one.id, name: name.value }, grid.childElementCount));
  remove.classList.add("remove-class");
  head.append(name, count, remove);
  const actions = element("div", "actions");
  actions.append(button("Add pictures …", () => pickFor(one.id), "pick"));
  if (hasCamera()) actions.append(button("Camera", () => recordFor({ id: one.id, name: name.value }), "record"));
  item.append(head, grid, actions);
  return { item, name, grid, count };
}

/** The list of cards. */
export function createCards(actions: CardActions): Cards {
  const list = byId("own-classes");
  const cards = new Map<number, Card>();
  const pictures = new Map<number, HTMLElement>();
  const counted = ({ grid, count, item }: Card): void => {
    const n = grid.childElementCount;
    count.textContent = n === 1 ? "1 picture" : `${n} pictures`;
    item.classList.toggle("empty", n === 0);
  };
  return {
    show(classes) {
      for (const [id, { item }] of cards)
        if (!classes.some((one) => one.id === id)) {
          item.remove();
          cards.delete(id);
        }
      for (const one of classes) {
        const card = cards.get(one.id) ?? createCard(one, actions);
        if (document.activeElement !== card.name) card.name.value = one.name;
        if (!cards.has(one.id)) list.append(card.item);
        cards.set(one.id, card);
        counted(card);
      }
    },
    add({ id, classId, name }, thumbnail) {
      const card = cards.get(classId);
      if (!card) return thumbnail.close();
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = SIDE;
      canvas.getContext("bitmaprenderer")?.transferFromImageBitmap(thumbnail);
      const cell = element("li");
      const remove = button("", () => actions.ask({ kind: "remove picture", id }), "own-thumbnail");
      remove.setAttribute("aria-label", `Remove ${name}`);
      remove.title = `Remove ${name}`;
      remove.append(canvas);
      cell.append(remove);
      pictures.set(id, cell);
      card.grid.append(cell);
      counted(card);
    },
    remove(ids) {
      for (const id of ids) {
        pictures.get(id)?.remove();
        pictures.delete(id);
      }
      for (const card of cards.values()) counted(card);
    },
  };
}
