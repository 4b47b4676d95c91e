// The matrix of a journey map, edited in place. Without this file every link and form works as a page of its own;
// here they open in a dialog, and the matrix is exchanged when something was saved.

const page = () => document.querySelector("[data-map-page]");
const dialog = document.querySelector("[data-map-dialog]");
const asFragment = { headers: { "X-Fragment": "1" }, credentials: "same-origin" };

let opener = null; // how to find again what had the focus
let touched = false;

async function send(address, options = {}) {
  try {
    return await fetch(address, { ...asFragment, ...options });
  } catch {
    return null; // offline: the browser's own way shows that best
  }
}

// --- The dialog ----------------------------------------------------------------------------------

function show(html) {
  dialog.innerHTML = html;
  touched = false;
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
  const first = dialog.querySelector("[role=alert], .errorlist")
    ? dialog.querySelector("[data-map-focus]")
    : dialog.querySelector("[autofocus], .m-form [name=name]") ?? dialog.querySelector("[data-map-focus]");
  first?.focus();
}

async function open(link) {
  opener = finder(link);
  const answer = await send(link.href);
  if (!answer?.ok || !isFragment(answer)) {
    location.assign(link.href);
    return;
  }
  show(await answer.text());
}

function finder(element) {
  const card = element?.closest("[data-map-card]");
  if (card) return `[data-map-card="${card.dataset.mapCard}"] a`;
  const href = element?.getAttribute("href");
  return href ? `a[href="${CSS.escape(href)}"]` : null;
}

function close() {
  if (touched && !confirm(dialog.dataset.unsaved)) return false;
  touched = false;
  dialog.close();
  return true;
}

function isFragment(answer) {
  return new URL(answer.url).pathname.startsWith(home());
}

function home() {
  return location.pathname.replace(/matrix\/$/, "");
}

// --- Saving --------------------------------------------------------------------------------------

async function submit(form, button) {
  const data = new FormData(form);
  if (button?.name) data.append(button.name, button.value);
  const answer = await send(form.action, { method: "POST", body: data });
  if (!answer || !isFragment(answer)) {
    form.removeAttribute("data-map-form");
    form.requestSubmit(button ?? undefined);
    return;
  }
  await take(answer);
}

async function take(answer) {
  const html = await answer.text();
  if (answer.redirected || answer.url.includes("/matrix/?") || answer.url.endsWith("/matrix/")) {
    exchange(html, answer.url);
  } else if (answer.status === 409 || answer.status === 422) {
    show(html);
  } else {
    location.reload();
  }
}

function exchange(html, address) {
  const fresh = new DOMParser().parseFromString(html, "text/html").querySelector("[data-map-page]");
  if (!fresh) {
    location.assign(address);
    return;
  }
  const { scrollLeft, scrollTop } = document.querySelector(".m-scroll") ?? {};
  touched = false;
  if (dialog.open) dialog.close();
  const status = page().querySelector("[data-map-status]");
  const told = fresh.querySelector("[data-map-status]");
  // The region itself stays, so that what is put into it is read out.
  told.replaceWith(status);
  page().replaceChildren(...fresh.childNodes);
  status.replaceChildren(...told.childNodes);
  document.querySelector(".m-scroll")?.scrollTo(scrollLeft ?? 0, scrollTop ?? 0);
  const address_ = new URL(address);
  address_.searchParams.delete("done");
  history.replaceState(null, "", address_);
  const again = opener && document.querySelector(opener);
  (again ?? status.querySelector("button"))?.focus({ preventScroll: Boolean(again) });
}

// --- Moving --------------------------------------------------------------------------------------

async function move(card, cell) {
  const column = cell.dataset.stage;
  const stage = document.querySelector(`thead [data-stage="${column}"]`)?.dataset.stageId;
  const channel = cell.closest("tr").dataset.channelId;
  const data = new FormData();
  data.append("csrfmiddlewaretoken", document.querySelector("[name=csrfmiddlewaretoken]").value);
  data.append("kept", location.search.slice(1));
  data.append("lock", card.dataset.lock);
  data.append("stage", stage);
  data.append("channel", channel);
  opener = `[data-map-card="${card.dataset.mapCard}"] a`;
  const answer = await send(card.dataset.move, { method: "POST", body: data });
  if (!answer || !isFragment(answer)) location.reload();
  else await take(answer);
}

function neighbour(cell, key) {
  const row = cell.closest("tr");
  if (key === "ArrowLeft") return cell.previousElementSibling?.closest("[data-map-cell]");
  if (key === "ArrowRight") return cell.nextElementSibling?.closest("[data-map-cell]");
  const other = key === "ArrowUp" ? row.previousElementSibling : row.nextElementSibling;
  return other?.querySelector(`[data-stage="${cell.dataset.stage}"]`);
}

// --- What people do ------------------------------------------------------------------------------

document.addEventListener("click", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0;
  const link = event.target.closest("a");
  if (!link || !plain) return;
  if (link.matches("[data-map-open]")) {
    event.preventDefault();
    open(link);
  } else if (link.matches("[data-map-close]") && dialog.open) {
    event.preventDefault();
    if (close() && link.closest(".m-panel")?.querySelector("[role=alert]")) location.reload();
  } else if (link.matches("[data-map-at]")) {
    event.preventDefault();
    turn(link);
  }
});

function turn(link) {
  document.querySelector("[data-map-table]").dataset.shown = link.dataset.mapAt;
  for (const other of document.querySelectorAll("[data-map-at]")) other.removeAttribute("aria-current");
  link.setAttribute("aria-current", "true");
  history.replaceState(null, "", link.href);
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches("[data-map-form]")) return;
  event.preventDefault();
  submit(event.target, event.submitter);
});

document.addEventListener("keydown", (event) => {
  const card = event.target.closest?.("[data-map-card]");
  if (!event.altKey || !event.key.startsWith("Arrow") || !card?.dataset.move) return;
  event.preventDefault();
  const cell = neighbour(card.closest("[data-map-cell]"), event.key);
  if (cell) move(card, cell);
});

dialog?.addEventListener("input", (event) => {
  if (event.target.closest("[data-map-guard]")) touched = true;
});

dialog?.addEventListener("cancel", (event) => {
  event.preventDefault();
  close();
});

dialog?.addEventListener("close", () => {
  dialog.replaceChildren();
  if (opener) document.querySelector(opener)?.focus();
});

window.addEventListener("beforeunload", (event) => {
  if (touched && dialog?.open) event.preventDefault();
});

let dragged = null;

document.addEventListener("dragstart", (event) => {
  dragged = event.target.closest?.("[data-map-card][data-move]") ?? null;
  if (dragged) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const cell = dragged && event.target.closest("[data-map-cell]");
  for (const other of document.querySelectorAll(".m-cell--over")) other.classList.remove("m-cell--over");
  if (!cell) return;
  event.preventDefault();
  cell.classList.add("m-cell--over");
});

document.addEventListener("drop", (event) => {
  const cell = dragged && event.target.closest("[data-map-cell]");
  if (!cell) return;
  event.preventDefault();
  if (cell !== dragged.closest("[data-map-cell]")) move(dragged, cell);
});

document.addEventListener("dragend", () => {
  dragged = null;
  for (const other of document.querySelectorAll(".m-cell--over")) other.classList.remove("m-cell--over");
});
