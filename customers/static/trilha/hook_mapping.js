// The preview follows what is typed. The server reads both texts; without this the button asks it.

const PAUSE = 400;

const form = document.getElementById("mapping-form");
const place = document.getElementById("mapping-preview");
let timer = 0;
let asking = null;

async function ask() {
  asking?.abort();
  asking = new AbortController();
  const fields = new FormData(form);
  try {
    const answer = await fetch(window.location.href, {
      method: "POST",
      body: fields,
      headers: { "X-Trilha-Part": "preview" },
      credentials: "same-origin",
      redirect: "error",
      signal: asking.signal,
    });
    if (answer.ok) {
      const found = new DOMParser().parseFromString(await answer.text(), "text/html");
      place.replaceChildren(...found.body.childNodes);
    }
  } catch (error) {
    if (error.name !== "AbortError") {
      place.dataset.stale = "true";
    }
  }
}

form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(ask, PAUSE);
});
