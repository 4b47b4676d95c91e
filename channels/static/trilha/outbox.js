// New messages come by themselves, but never under the hands of somebody who reads or uses the page.

const EVERY = 5000;
const KEPT = 48;

const place = document.getElementById("outbox-messages");
const status = document.getElementById("outbox-status");
const pause = document.getElementById("outbox-pause");
const show = document.getElementById("outbox-show");
let waiting = [];

function keys() {
  return new Set([...place.querySelectorAll("[data-message]")].map((item) => item.dataset.message));
}

function isBusy() {
  return window.scrollY > 200 || place.contains(document.activeElement) || place.matches(":hover");
}

function insert() {
  const list = place.querySelector("ol");
  for (const item of waiting.reverse()) {
    item.classList.add("outbox-item--new");
    list.prepend(item);
  }
  waiting = [];
  [...list.children].slice(KEPT).forEach((item) => item.remove());
  show.hidden = true;
}

async function look() {
  const address = new URL(window.location.href);
  address.searchParams.set("part", "messages");
  const answer = await fetch(address, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) {
    return;
  }
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = found.querySelector("ol");
  if (!fresh) {
    return;
  }
  if (!place.querySelector("ol")) {
    place.replaceChildren(document.adoptNode(fresh));
    return;
  }
  const known = keys();
  waiting = [...fresh.children].filter((item) => !known.has(item.dataset.message)).map((item) => document.adoptNode(item));
  if (!waiting.length) {
    return;
  }
  status.textContent = status.dataset.new;
  if (isBusy()) {
    show.hidden = false;
  } else {
    insert();
  }
}

async function keepLooking() {
  if (document.visibilityState === "visible" && pause.getAttribute("aria-pressed") !== "true") {
    // A server that restarts is asked again.
    await look().catch(() => {});
  }
  window.setTimeout(keepLooking, EVERY);
}

pause.hidden = false;
pause.addEventListener("click", () => {
  pause.setAttribute("aria-pressed", String(pause.getAttribute("aria-pressed") !== "true"));
});
show.addEventListener("click", () => {
  insert();
  window.scrollTo({ top: 0 });
});
window.setTimeout(keepLooking, EVERY);
