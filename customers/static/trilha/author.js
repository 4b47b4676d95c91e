// The author's page without reloading: what a button of the form asks for is asked of the server, and the form's
// inside replaced by its answer. Without this file the same buttons submit the page.

const form = document.getElementById("author");
const live = document.getElementById("author-live");
const body = () => document.getElementById("author-body");

// Counts what a person typed or chose, so that an answer to an older state is not shown over it.
let touched = 0;
let asked = 0;
let leaving = false;

document.documentElement.classList.add("a-script");

function say(text) {
  live.textContent = "";
  if (text) requestAnimationFrame(() => (live.textContent = text));
}

function markUnsaved(isUnsaved) {
  form.classList.toggle("is-unsaved", isUnsaved);
}

function keepOpen(before, after) {
  for (const old of before.querySelectorAll("details[data-key]")) {
    const same = after.querySelector(`details[data-key="${CSS.escape(old.dataset.key)}"]`);
    if (same && !same.querySelector("[aria-invalid]")) same.open = old.open;
  }
}

function whereAmI() {
  const here = document.activeElement;
  if (!here || !form.contains(here)) return null;
  const start = "selectionStart" in here ? here.selectionStart : null;
  return { name: here.name, value: here.value, id: here.id, type: here.type, start, end: start === null ? null : here.selectionEnd };
}

function goBack(place) {
  if (!place) return;
  const byId = place.id && document.getElementById(place.id);
  const named = () => [...form.elements].find((one) => one.name === place.name && (place.type !== "submit" || one.value === place.value));
  const here = byId || named();
  if (!here) return;
  here.focus({ preventScroll: true });
  if (place.start !== null && here.setSelectionRange) here.setSelectionRange(place.start, place.end);
}

function show(text, order) {
  const answer = new DOMParser().parseFromString(text, "text/html").getElementById("author-body");
  if (!answer) return false;
  const old = body();
  const place = whereAmI();
  keepOpen(old, answer);
  old.replaceWith(answer);
  markUnsaved("dirty" in answer.dataset);
  const [verb] = order.split(":");
  const moved = (verb === "up" || verb === "down") && answer.dataset.focus;
  const wanted = moved ? moveButton(answer.dataset.focus, verb) : document.getElementById(answer.dataset.focus);
  if (order === "check") {
    (document.getElementById("a-summary") || answer.querySelector(".a-said")).focus?.();
    document.getElementById("a-summary")?.scrollIntoView({ block: "start" });
  } else if (wanted) {
    reveal(wanted);
    wanted.focus();
    wanted.scrollIntoView({ block: "center" });
  } else {
    goBack(place);
  }
  say(answer.dataset.said);
  form.dispatchEvent(new CustomEvent("trilha:shown"));
  return true;
}

// The row that was moved keeps the focus on its arrow, so that it can be moved on by the keyboard.
function moveButton(id, verb) {
  const row = document.getElementById(id)?.closest(".a-step, .a-row, tr");
  const buttons = row ? [...row.querySelectorAll(":scope > .a-tools .a-tool, :scope .a-foot > .a-tools .a-tool, :scope td > .a-tools .a-tool")] : [];
  const wanted = buttons.find((one) => one.value.startsWith(`${verb}:`) && !one.disabled);
  return wanted || buttons.find((one) => !one.disabled) || document.getElementById(id);
}

function reveal(element) {
  for (let at = element.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
}

async function ask(order) {
  const mine = ++asked;
  const seen = touched;
  const fields = new URLSearchParams(new FormData(form));
  fields.set("do", order);
  form.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, { method: "POST", body: fields, headers: { "X-Trilha-Part": "form" }, credentials: "same-origin" });
    if (mine !== asked) return;
    // Typed on meanwhile: what the server saw is old already, so ask again with what is there now.
    if (seen !== touched) return ask(order);
    const text = await answer.text();
    if (mine !== asked) return;
    if (seen !== touched) return ask(order);
    if (answer.redirected || !show(text, order)) fall(order);
  } catch {
    if (mine === asked) say(form.dataset.offline || "");
  } finally {
    if (mine === asked) form.removeAttribute("aria-busy");
  }
}

// Something unforeseen came back: let the browser do it, and show what it is.
function fall(order) {
  const button = document.createElement("button");
  button.name = "do";
  button.value = order;
  button.hidden = true;
  form.append(button);
  leaving = true;
  form.requestSubmit(button);
}

form.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-edit]");
  if (!button || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  ask(button.value);
});

form.addEventListener("input", () => {
  touched += 1;
  markUnsaved(true);
});

form.addEventListener("change", (event) => {
  if (event.target.closest("[data-refresh]")) ask("refresh");
});

form.addEventListener("submit", () => (leaving = true));

// A problem's link leads into folded steps as well.
form.addEventListener("click", (event) => {
  const link = event.target.closest("#a-summary a");
  const target = link && document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (!target) return;
  event.preventDefault();
  reveal(target);
  if (target.matches("details > summary")) target.parentElement.open = true;
  target.scrollIntoView({ block: "center" });
  if (!target.matches("input, select, textarea, summary")) target.tabIndex = -1;
  target.focus({ preventScroll: true });
});

window.addEventListener("beforeunload", (event) => {
  if (leaving || !form.classList.contains("is-unsaved")) return;
  event.preventDefault();
});

window.addEventListener("pageshow", () => (leaving = false));

markUnsaved("dirty" in body().dataset);
(document.getElementById("a-stale") || document.getElementById("a-summary"))?.focus();
