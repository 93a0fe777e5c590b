// Shows a figure large, over the page: by a click, a tap or Enter on it. Without this script the link opens its picture.

const AT_LEAST = 1.25; // times the picture's own size; on a phone that is wider than the screen, and scrolls

function enlarged(link) {
  const shown = [...link.querySelectorAll("img")].find((image) => image.offsetParent);
  const dialog = document.createElement("dialog"), large = document.createElement("img");
  const close = document.createElement("button");
  dialog.className = "enlarged";
  large.className = shown.className.replace(/least-\d+/, "");
  dialog.setAttribute("aria-label", link.title);
  large.src = shown.currentSrc || shown.src;
  large.alt = shown.alt;
  const ratio = shown.getAttribute("width") / shown.getAttribute("height") || 1;
  const fitting = Math.min(innerWidth - 40, (innerHeight - 70) * ratio);
  large.width = Math.round(Math.max(fitting, AT_LEAST * shown.getAttribute("width")));
  large.height = Math.round(large.width / ratio);
  close.type = "button";
  close.textContent = document.getElementById("site-said").dataset.close;
  dialog.append(close, large);
  dialog.addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  return dialog;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a.enlarge");
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const dialog = enlarged(link);
  document.body.append(dialog);
  dialog.showModal();
});
