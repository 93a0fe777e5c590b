// Before anything is drawn: the reader's own choice of theme, a mark that scripts run, and what stands beside a post:
// the series open on a wide screen, the contents folded on a narrow one. It stands in the head and is waited for, as the
// style sheet is, so that nothing is seen to change.

document.documentElement.classList.add("js");
try {
  const theme = localStorage.getItem("theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // storage is off: the system's theme
}
const wide = matchMedia("(min-width: 68.75rem)").matches;
const observer = new MutationObserver(() => {
  document.querySelectorAll(".side > nav > details").forEach((fold) => { fold.open = wide; });
  if (document.querySelector(".post-content, footer")) observer.disconnect();
});
observer.observe(document, { childList: true, subtree: true });
