// Before anything is drawn: the reader's own choice of theme, a mark that scripts run, and on a narrow screen the
// contents of a post folded. It stands in the head and is waited for, as the style sheet is, so that nothing is seen to
// change.

document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is off: the system's theme
}
if (matchMedia("(max-width: 68.74rem)").matches) {
  const observer = new MutationObserver(() => {
    const contents = document.querySelector("nav.contents > details");
    if (contents) contents.open = false;
    if (contents || document.querySelector("footer")) observer.disconnect();
  });
  observer.observe(document, { childList: true, subtree: true });
}
