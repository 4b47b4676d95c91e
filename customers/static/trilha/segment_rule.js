// The words and the count follow what is typed. The server reads the rule and asks a sample; without this a button
// asks it.

const PAUSE = 600;

const form = document.getElementById("author");
const place = document.getElementById("rule-preview");
let timer = 0;
let asking = null;

async function ask() {
  asking?.abort();
  asking = new AbortController();
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(form.action, {
      method: "POST",
      body: new URLSearchParams(new FormData(form)),
      headers: { "X-Trilha-Part": "preview" },
      credentials: "same-origin",
      redirect: "error",
      signal: asking.signal,
    });
    if (answer.ok || answer.status === 422) {
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...found.body.childNodes);
    }
    place.removeAttribute("aria-busy");
  } catch (error) {
    if (error.name !== "AbortError") place.removeAttribute("aria-busy");
  }
}

function soon() {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
}

form.addEventListener("input", (event) => {
  if (event.target.name !== "json") soon();
});
form.addEventListener("trilha:shown", soon);
if (form.elements.lock && !form.querySelector("fieldset[disabled]")) ask();
