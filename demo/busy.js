// Shows that the page is at work, for as long as it is: to the eye over the picture, to a screen reader as `aria-busy`.
const PAINTED = 100; // ms after which a page is taken to be painted that nobody looks at
const stage = document.getElementById("demo-stage");
const sign = document.getElementById("demo-busy");
let running = 0;

/** When the browser has painted what has changed: what follows may keep it from painting for a while. */
function painted() {
  return new Promise((done) => {
    requestAnimationFrame(() => setTimeout(done));
    setTimeout(done, PAINTED); // a page in the background gets no frames
  });
}

function tell() {
  stage.setAttribute("aria-busy", String(running > 0));
  sign.hidden = running === 0;
}

/** Does `act` while the page is shown to be busy, and gives what comes of it. */
export async function busy(act) {
  running += 1;
  tell();
  try {
    await painted();
    return await act();
  } finally {
    running -= 1;
    tell();
  }
}
