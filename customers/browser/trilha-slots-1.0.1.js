/*! trilha-slots.js 1.0.1: what this visitor sees in the places of a page. How to use it: docs/browser.md */
(() => {
  "use strict";

  const MOST = 20;

  // Of a page or below the page's own: never a script, whatever was written.
  function safe(address) {
    try {
      const found = new URL(address, location.href);
      return /^https?:$/.test(found.protocol) ? found.href : "";
    } catch {
      return "";
    }
  }

  function element(name, part, text) {
    const made = document.createElement(name);
    made.className = `trilha-slot-${part}`;
    // As text, never as markup.
    if (text) made.textContent = text;
    return made;
  }

  function parts(content) {
    const made = [];
    const [image, link] = [content.image && safe(content.image), content.link && safe(content.link)];
    if (image) made.push(Object.assign(element("img", "image"), { src: image, alt: "", referrerPolicy: "no-referrer" }));
    if (content.title) made.push(element("p", "title", content.title));
    if (content.text) content.text.split(/\n+/).forEach((line) => made.push(element("p", "text", line)));
    if (link) {
      made.push(Object.assign(element("a", "link", content.button || content.title || content.link), { href: link }));
    }
    return made;
  }

  function make({ ask, warn }) {
    // Asked in one call for all that a page asks at once.
    let waiting = new Map();
    const seen = new Set();
    // One for each person who was here, so that no late answer shows what was another's.
    let era = 0;
    // By place: what the page itself has there, what stands there now, who watches it, and how often it was asked for.
    const printed = new Map();
    const standing = new Map();
    const watching = new Map();
    const turns = new Map();
    const language = () => document.documentElement.lang || navigator.language || "";

    function mark(content, as) {
      const key = content.placement && `${content.placement} ${as}`;
      if (!key || seen.has(key)) return;
      seen.add(key);
      ask("/v1/slots/marks", { marks: [{ id: content.placement, as }] });
    }

    async function fetchAll() {
      const [asked, mine] = [waiting, era];
      waiting = new Map();
      const keys = [...asked.keys()].slice(0, MOST);
      if (asked.size > keys.length) warn(`more than ${MOST} slots at once`);
      const told = (await ask("/v1/slots", { slots: keys, language: language().slice(0, 35) })) || { slots: {} };
      for (const [key, waiters] of asked) {
        // If somebody else is here by now, what is there for them is asked anew.
        waiters.forEach((tell) => (mine === era ? tell(told.slots[key] || null) : content(key).then(tell)));
      }
    }

    function content(key) {
      return new Promise((resolve) => {
        if (!waiting.size) Promise.resolve().then(fetchAll).catch(warn);
        waiting.set(key, [...(waiting.get(key) || []), resolve]);
      });
    }

    // Once half of it was in view, and where a browser cannot tell, at once.
    function watch(place, found) {
      if (!window.IntersectionObserver) return mark(found, "shown");
      const observer = new IntersectionObserver(
        (entries) => {
          if (!entries.some((entry) => entry.isIntersecting)) return;
          observer.disconnect();
          mark(found, "shown");
        },
        { threshold: 0.5 },
      );
      observer.observe(place);
      watching.set(place, observer);
      return undefined;
    }

    function draw(place, found) {
      // What stands there no longer is seen by nobody.
      if (watching.has(place)) watching.get(place).disconnect();
      standing.set(place, found);
      // What the page itself has there stays where there is nothing else, and comes back.
      place.replaceChildren(...(found ? parts(found) : printed.get(place)));
      if (found) place.lang = found.language;
      else place.removeAttribute("lang");
      if (found) watch(place, found);
    }

    async function fill(place) {
      if (!printed.has(place)) {
        printed.set(place, [...place.childNodes]);
        place.addEventListener("click", (event) => {
          const found = standing.get(place);
          if (found && event.target.closest("a")) mark(found, "clicked");
        });
      }
      const turn = (turns.get(place) || 0) + 1;
      turns.set(place, turn);
      const found = await content(place.dataset.trilhaSlot);
      // Whoever asked for it later draws it.
      if (turn === turns.get(place)) draw(place, found);
    }

    const fillSlots = () => document.querySelectorAll("[data-trilha-slot]").forEach((place) => fill(place).catch(warn));

    // With a function the page draws it itself, and says what came of it; else the content is promised.
    function slot(key, show) {
      const found = content(key).then((one) => {
        if (!one) return null;
        const theirs = era;
        // Nothing is told in the name of whoever came after them.
        const tell = (as) => () => theirs === era && mark(one, as);
        return { ...one, shown: tell("shown"), clicked: tell("clicked"), dismissed: tell("dismissed") };
      });
      if (show) found.then(show).catch(warn);
      return found;
    }

    // Somebody else is here, or nobody that may be known: nothing of whoever was stays on the screen.
    function changed() {
      era += 1;
      standing.forEach((found, place) => found && found.placement && draw(place, null));
      fillSlots();
    }

    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", fillSlots);
    else fillSlots();
    return { calls: { slot, fillSlots }, changed };
  }

  const home = (window.trilha = window.trilha || { q: [] });
  if (home.part) home.part(make);
  else home.q.push(["part", [make]]);
})();
