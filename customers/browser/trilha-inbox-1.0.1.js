/*! trilha-inbox.js 1.0.1: the in-app inbox of a page: a bell, and behind it what is new. How to use it: docs/browser.md */
(() => {
  "use strict";

  const WORDS = {
    en: {
      inbox: "Inbox",
      unread: (n) => (n === 1 ? "1 unread message" : `${n} unread messages`),
      none: "There is nothing here.",
      close: "Close",
      more: "Show more",
      all: "Mark all as read",
      dismiss: "Remove",
      fresh: "new",
      open: "Open",
      gone: "Removed.",
    },
    pt: {
      inbox: "Caixa de entrada",
      unread: (n) => (n === 1 ? "1 mensagem não lida" : `${n} mensagens não lidas`),
      none: "Não há nada aqui.",
      close: "Fechar",
      more: "Mostrar mais",
      all: "Marcar todas como lidas",
      dismiss: "Remover",
      fresh: "nova",
      open: "Abrir",
      gone: "Removida.",
    },
  };
  const MOST_MARKS = 100;
  const PAGE = 20;
  const MOST_ITEMS = 50;
  // Pages set the colours by custom properties; the rest is the widget's own, and reaches nothing outside it.
  const LOOKS = `
    :host { display: inline-block; position: relative; font: inherit;
      --own-ink: var(--trilha-ink, CanvasText); --own-paper: var(--trilha-paper, Canvas); --own-accent: var(--trilha-accent, #1d4ed8); }
    * { box-sizing: border-box; }
    button, a { font: inherit; color: inherit; }
    button { background: none; border: 1px solid transparent; border-radius: .375rem; cursor: pointer; padding: .5rem; min-height: 2.75rem; }
    :focus-visible { outline: 3px solid var(--own-accent); outline-offset: 2px; }
    .bell { position: relative; min-width: 2.75rem; line-height: 0; }
    .bell svg { width: 1.5rem; height: 1.5rem; }
    .count { position: absolute; top: 0; right: 0; min-width: 1.25rem; padding: 0 .25rem; border-radius: 1rem; font-size: .75rem;
      line-height: 1.25rem; background: #b91c1c; color: #fff; text-align: center; }
    .panel { position: absolute; z-index: 2147483000; right: 0; top: 100%; width: 24rem; max-height: min(32rem, 80vh); overflow: auto;
      background: var(--own-paper); color: var(--own-ink); border: 1px solid currentColor; border-radius: .5rem; padding: 1rem; text-align: start;
      box-shadow: 0 .5rem 1.5rem rgb(0 0 0 / .25); overflow-wrap: anywhere; }
    .head { display: flex; align-items: center; justify-content: space-between; gap: .5rem; }
    h2 { font-size: 1.125rem; margin: 0; }
    h3 { font-size: 1rem; margin: 0; }
    ul { list-style: none; margin: .5rem 0; padding: 0; }
    li { border-top: 1px solid color-mix(in srgb, currentColor 30%, transparent); padding: .5rem 0; }
    .title { width: 100%; text-align: start; padding: .5rem 0; font-weight: 400; }
    .fresh .title { font-weight: 700; }
    .tag { font-size: .75rem; font-weight: 700; margin-inline-start: .5rem; border: 1px solid currentColor; border-radius: 1rem; padding: 0 .5rem; }
    .text { margin: 0 0 .5rem; white-space: pre-line; }
    img { max-width: 100%; height: auto; border-radius: .375rem; }
    time { display: block; font-size: .8125rem; }
    .go { display: inline-block; padding: .625rem 1rem; border: 1px solid currentColor; border-radius: .375rem; text-decoration: none; }
    .acts { display: flex; flex-wrap: wrap; gap: .5rem; align-items: center; margin-top: .5rem; }
    .acts button, .head button, .foot button { text-decoration: underline; }
    [hidden] { display: none !important; }
    .said { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
    .left .panel { right: auto; left: 0; }
    @media (max-width: 48rem) {
      .panel, .left .panel { position: fixed; inset: .5rem .5rem auto; width: auto; max-height: calc(100vh - 1rem); }
    }
  `;
  const BELL = "M12 22a2 2 0 0 0 2-2h-4a2 2 0 0 0 2 2Zm7-5v-1l-2-2v-4a5 5 0 0 0-4-4.9V4a1 1 0 0 0-2 0v1.1A5 5 0 0 0 7 10v4l-2 2v1h14Z";

  // Of a page or below the page's own: never a script, whatever was written.
  function safe(address) {
    try {
      const found = new URL(address, location.href);
      return /^https?:$/.test(found.protocol) ? found.href : "";
    } catch {
      return "";
    }
  }

  function element(name, attributes = {}, ...inside) {
    const made = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) if (value !== undefined) made.setAttribute(key, value);
    // Texts are put in as text, never as markup.
    made.append(...inside);
    return made;
  }

  function bell() {
    const space = "http://www.w3.org/2000/svg";
    const drawn = document.createElementNS(space, "svg");
    drawn.setAttribute("viewBox", "0 0 24 24");
    drawn.setAttribute("aria-hidden", "true");
    const line = document.createElementNS(space, "path");
    line.setAttribute("d", BELL);
    line.setAttribute("fill", "currentColor");
    drawn.append(line);
    return drawn;
  }

  class Widget {
    constructor(tools, host, options) {
      this.tools = tools;
      this.host = host;
      this.language = options.language || document.documentElement.lang || navigator.language || "en";
      this.words = /^pt\b/i.test(this.language) ? WORDS.pt : WORDS.en;
      this.items = [];
      this.next = null;
      this.asked = 0;
      // So many marks were told: what was counted before the last of them is no longer so.
      this.marks = 0;
      // One for each person who was here, so that no late answer shows what was another's.
      this.era = 0;
      this.draw();
      this.look();
      // A page that is looked at asks now and then; one that is not, once it is looked at again.
      const seconds = Math.max(5, Number(options.every) || 60);
      setInterval(() => document.visibilityState === "visible" && this.look(), seconds * 1000);
      document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && this.look());
    }

    draw() {
      const { words } = this;
      const root = this.host.shadowRoot || this.host.attachShadow({ mode: "open" });
      const looks = new CSSStyleSheet();
      looks.replaceSync(LOOKS);
      root.adoptedStyleSheets = [looks];
      this.count = element("span", { class: "count", "aria-hidden": "true", hidden: "" });
      this.button = element("button", { type: "button", class: "bell", "aria-haspopup": "dialog", "aria-expanded": "false" }, bell(), this.count);
      this.close = element("button", { type: "button" }, words.close);
      this.list = element("ul", { role: "list" });
      this.none = element("p", { class: "none" }, words.none);
      this.all = element("button", { type: "button" }, words.all);
      this.more = element("button", { type: "button", hidden: "" }, words.more);
      const title = element("h2", { id: "title" }, words.inbox);
      this.panel = element(
        "div",
        { class: "panel", role: "dialog", "aria-labelledby": "title", tabindex: "-1", hidden: "" },
        element("div", { class: "head" }, title, this.close),
        this.none,
        this.list,
        element("div", { class: "foot" }, this.more, this.all),
      );
      this.said = element("span", { class: "said", role: "status" });
      this.box = element("div", { lang: this.words === WORDS.pt ? "pt-BR" : "en" }, this.button, this.panel, this.said);
      root.replaceChildren(this.box);
      this.button.addEventListener("click", () => this.toggle());
      this.close.addEventListener("click", () => this.shut());
      this.more.addEventListener("click", () => this.page());
      this.all.addEventListener("click", () => this.readAll());
      root.addEventListener("keydown", (event) => {
        if (event.key !== "Escape" || this.panel.hidden) return;
        event.stopPropagation();
        this.shut();
      });
      document.addEventListener("click", (event) => {
        if (!this.panel.hidden && !event.composedPath().includes(this.host)) this.shut(false);
      });
      this.tell(0);
    }

    // --- What there is ---

    async look() {
      const open = !this.panel.hidden;
      const asked = (this.asked += 1);
      const { marks } = this;
      const told = await this.tools.ask("/v1/inbox", { limit: open ? Math.min(MOST_ITEMS, Math.max(PAGE, this.items.length)) : 0 });
      // Somebody else may be here by now, or a later answer has come.
      if (asked !== this.asked) return undefined;
      if (!told || marks === this.marks) this.tell(told ? told.unread : 0);
      if (!open && told) return undefined;
      if (!told) return this.show([], null);
      const older = this.older(told);
      return this.show([...told.items, ...older], older.length ? this.next : told.next);
    }

    // What was fetched by "show more" and lies below what was told.
    older(told) {
      const last = told.next && told.items[told.items.length - 1];
      const at = last ? this.items.findIndex((item) => item.id === last.id) : -1;
      return at < 0 ? [] : this.items.slice(at + 1);
    }

    show(items, next) {
      // Who reads is not taken away from where they are: what is there already stays as it was drawn.
      const drawn = new Map(this.items.map((item) => [item.id, item]));
      this.items = items.map((item) => drawn.get(item.id) || item);
      this.next = next;
      const rows = this.items.map((item) => item.row || (item.row = this.row(item)));
      [...this.list.children].filter((row) => !rows.includes(row)).forEach((row) => row.remove());
      rows.forEach((row, at) => this.list.children[at] === row || this.list.insertBefore(row, this.list.children[at] || null));
      this.settle();
      this.mark(this.items.filter((item) => !item.shown), "shown");
    }

    async page() {
      const { era } = this;
      // Not by `disabled`, which would take the focus away from who waits there.
      if (this.more.getAttribute("aria-disabled") === "true") return;
      this.more.setAttribute("aria-disabled", "true");
      const told = await this.tools.ask("/v1/inbox", { limit: PAGE, cursor: this.next }).finally(() => this.more.removeAttribute("aria-disabled"));
      if (!told || era !== this.era) return;
      const first = told.items[0];
      this.show([...this.items, ...told.items], told.next);
      const row = first && this.items.find((item) => item.id === first.id).row;
      if (row) row.querySelector("button").focus();
    }

    settle() {
      this.none.hidden = this.items.length > 0;
      this.more.hidden = !this.next;
      this.all.hidden = !this.items.some((item) => !item.read);
    }

    tell(unread) {
      const { words } = this;
      const label = unread ? `${words.inbox}: ${words.unread(unread)}` : words.inbox;
      if (unread !== this.unread && this.unread !== undefined && unread > this.unread) this.said.textContent = words.unread(unread);
      this.unread = unread;
      this.button.setAttribute("aria-label", label);
      this.count.textContent = unread > 99 ? "99+" : String(unread);
      this.count.hidden = !unread;
    }

    // --- One of them ---

    row(item) {
      const { words } = this;
      const id = `item-${item.id}`;
      const tag = element("span", { class: "tag" }, words.fresh);
      const lang = item.language || undefined;
      const named = element("span", { lang }, item.title || item.text.slice(0, 80));
      const title = element("button", { type: "button", class: "title", "aria-expanded": "false", "aria-controls": id }, named);
      if (!item.read) title.append(tag);
      const inside = element("div", { id, hidden: "" });
      const [image, link] = [item.image && safe(item.image), item.link && safe(item.link)];
      if (image) inside.append(element("img", { src: image, alt: "", loading: "lazy", referrerpolicy: "no-referrer" }));
      if (item.text) inside.append(element("p", { class: "text", lang }, item.text));
      const acts = element("div", { class: "acts" });
      if (link) {
        const go = element("a", { class: "go", href: link, lang: item.button ? lang : undefined }, item.button || words.open);
        go.addEventListener("click", () => this.mark([item], "clicked"));
        acts.append(go);
      }
      const away = element("button", { type: "button", "aria-label": `${words.dismiss}: ${item.title || item.text.slice(0, 80)}` }, words.dismiss);
      away.addEventListener("click", () => this.dismiss(item));
      acts.append(away);
      inside.append(acts);
      const when = new Date(item.placed_at);
      const time = element("time", { datetime: item.placed_at }, when.toLocaleString(this.language, { dateStyle: "medium", timeStyle: "short" }));
      const row = element("li", { class: item.read ? "" : "fresh" }, element("h3", {}, title), time, inside);
      title.addEventListener("click", () => {
        inside.hidden = !inside.hidden;
        title.setAttribute("aria-expanded", String(!inside.hidden));
        if (!inside.hidden) this.read([item]);
      });
      item.fresh = () => {
        row.className = "";
        tag.remove();
      };
      return row;
    }

    read(items) {
      const unread = items.filter((item) => !item.read);
      unread.forEach((item) => {
        item.read = true;
        item.fresh();
      });
      this.settle();
      return this.mark(unread, "read");
    }

    readAll() {
      this.read(this.items);
      this.panel.focus();
    }

    dismiss(item) {
      const at = this.items.indexOf(item);
      this.items.splice(at, 1);
      item.row.remove();
      this.settle();
      this.said.textContent = this.words.gone;
      const near = this.items[at] || this.items[at - 1];
      (near ? near.row.querySelector("button") : this.panel).focus();
      this.mark([item], "dismissed");
    }

    async mark(items, as) {
      const { era } = this;
      if (as === "shown") items.forEach((item) => (item.shown = true));
      for (let at = 0; at < items.length; at += MOST_MARKS) {
        const marks = items.slice(at, at + MOST_MARKS).map((item) => ({ id: item.id, as }));
        const number = (this.marks += 1);
        const told = await this.tools.ask("/v1/inbox/marks", { marks });
        if (told && era === this.era && number === this.marks) this.tell(told.unread);
      }
    }

    // --- The panel ---

    toggle() {
      if (this.panel.hidden) this.open();
      else this.shut();
    }

    open() {
      this.panel.hidden = false;
      // To the side on which there is room.
      this.box.className = this.host.getBoundingClientRect().right < this.panel.offsetWidth ? "left" : "";
      this.button.setAttribute("aria-expanded", "true");
      this.settle();
      this.panel.focus();
      this.look().catch(this.tools.warn);
    }

    shut(back = true) {
      this.panel.hidden = true;
      this.button.setAttribute("aria-expanded", "false");
      if (back) this.button.focus();
    }

    // Somebody else is here, or nobody that may be known: nothing of whoever was stays on the screen.
    changed() {
      this.era += 1;
      this.show([], null);
      this.tell(0);
      this.look().catch(this.tools.warn);
    }
  }

  function make(tools) {
    const widgets = [];

    function inbox(at, options = {}) {
      const host = typeof at === "string" ? document.querySelector(at) : at;
      if (!host) return tools.warn(`no place for the inbox: ${at}`);
      if (!widgets.some((one) => one.host === host)) widgets.push(new Widget(tools, host, options));
      return undefined;
    }

    const found = () =>
      document.querySelectorAll("[data-trilha-inbox]").forEach((host) => inbox(host, { language: host.dataset.language, every: host.dataset.every }));
    if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", found);
    else found();
    return { calls: { inbox }, changed: () => widgets.forEach((one) => one.changed()) };
  }

  const home = (window.trilha = window.trilha || { q: [] });
  if (home.part) home.part(make);
  else home.q.push(["part", [make]]);
})();
