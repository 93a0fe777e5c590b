// All classes that are in the picture, beside the one that is asked for: "Car 5, 8" and "Bridge 2", each a button that
// asks for it.
const part = document.getElementById("demo-present");
const list = part.querySelector("ul");

/** A button for each class, shown when its class is there; `choose` takes the class that a reader presses. */
export function listClasses(classes, choose) {
  list.replaceChildren(
    ...classes.map((name) => {
      const item = Object.assign(document.createElement("li"), { hidden: true });
      const button = Object.assign(document.createElement("button"), { type: "button" });
      button.addEventListener("click", () => choose(name));
      item.append(button);
      return item;
    }),
  );
}

/** `found` has the tiles of each class, in the classes' order: {name, numbers}. */
export function showPresent(found, target) {
  found.forEach(({ name, numbers }, i) => {
    const item = list.children[i];
    item.hidden = !numbers.length;
    item.firstChild.textContent = `${name} ${numbers.join(", ")}`;
    item.firstChild.setAttribute("aria-pressed", String(name === target));
    if (name === target) list.scrollLeft = item.offsetLeft - list.offsetLeft; // where the list is one long line
  });
  part.hidden = found.every(({ numbers }) => !numbers.length);
}
