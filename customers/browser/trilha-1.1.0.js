/*! trilha.js 1.1.0: tells Trilha what a visitor does. How to install it: docs/browser.md */
(() => {
  "use strict";

  const VERSION = "1.1.0";
  const script = document.currentScript;
  const early = window.trilha;
  if (early && early.version) return;

  const MAX_KEPT = 1000;
  const MAX_BATCH = 100;
  // What a browser takes along from a page that is being left, with room for the rest of the body.
  const MAX_BYTES = 60000;
  const MAX_TEXT = 2000;
  const DAY = 86400000;

  let settings = null;
  let home = "trilha.";
  let timer = 0;
  let sending = false;
  // The door has no use for this key or this page: nothing is asked again until the next page.
  let refused = false;
  let failures = 0;
  // Not before this moment, as the door has asked.
  let until = 0;
  let most = MAX_BATCH;
  let counter = 0;
  const before = [];
  // Parts may be there first; what they ask waits until it is known whom to ask.
  let isLoaded = null;
  const loaded = new Promise((resolve) => (isLoaded = resolve));
  // Handed to the browser as the page was left; nobody tells whether they arrived.
  const handed = new Set();

  const warn = (...words) => window.console && console.warn("trilha:", ...words);

  // --- What is kept: in the browser's storage where that is allowed, in this page's memory otherwise ---

  const memory = new Map();

  const choice = () => settings.chosen;
  const allowed = () => choice() === "in" || (choice() !== "out" && !settings.waitForConsent);

  function box(permitted = allowed()) {
    try {
      return permitted && settings.storage !== "memory" ? window.localStorage : null;
    } catch {
      return null;
    }
  }

  function put(key, value, permitted) {
    const store = box(permitted);
    if (store) {
      try {
        store.setItem(home + key, value);
        memory.delete(key);
        return;
      } catch {
        // Full or forbidden.
      }
    }
    memory.set(key, value);
  }

  function get(key, permitted) {
    if (memory.has(key)) return memory.get(key);
    const store = box(permitted);
    return store ? store.getItem(home + key) : null;
  }

  function drop(key) {
    memory.delete(key);
    const store = box(true);
    if (store) store.removeItem(home + key);
  }

  // Messages stand each under a key of its own, so that pages open side by side never overwrite each other's.
  function kept() {
    const found = new Set([...memory.keys()].filter((key) => key.startsWith("m.")));
    const store = box();
    for (let at = 0; store && at < store.length; at += 1) {
      const key = store.key(at);
      if (key.startsWith(`${home}m.`)) found.add(key.slice(home.length));
    }
    return [...found].sort();
  }

  const ofConsent = (key) => key.split(".")[2] === "c";

  // --- Who it is ---

  function uuid() {
    if (window.crypto && crypto.randomUUID) return crypto.randomUUID();
    const digit = () => Math.floor(Math.random() * 16).toString(16);
    return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, digit);
  }

  const cookieName = () => `trilha_id_${settings.key.slice(-8).replace(/[^A-Za-z0-9]/g, "_")}`;

  function writeCookie(value, seconds) {
    if (!settings.cookie) return;
    const domain = settings.cookie.domain ? `; domain=${settings.cookie.domain}` : "";
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `${cookieName()}=${value}; path=/; max-age=${seconds}; samesite=lax${domain}${secure}`;
  }

  function readCookie() {
    if (!settings.cookie || !allowed()) return "";
    const start = `${cookieName()}=`;
    const found = document.cookie.split("; ").find((one) => one.startsWith(start));
    return found ? found.slice(start.length) : "";
  }

  function anonymousId() {
    const id = readCookie() || get("id") || uuid();
    put("id", id);
    if (allowed()) writeCookie(id, 365 * 24 * 3600);
    return id;
  }

  // --- Messages: made once, with the id they keep however often they are sent ---

  // Queries and fragments carry what pages did not mean to tell: addresses, tokens, searches.
  const plain = (address) => (settings.fullUrl ? address : address.split(/[?#]/)[0]);

  function where() {
    return {
      url: plain(location.href),
      path: location.pathname,
      title: document.title,
      referrer: plain(document.referrer),
    };
  }

  function campaign() {
    const found = {};
    new URLSearchParams(location.search).forEach((value, name) => {
      if (name.startsWith("utm_")) found[name === "utm_campaign" ? "name" : name.slice(4)] = value;
    });
    return Object.keys(found).length ? found : undefined;
  }

  function message(type, fields, more) {
    const user = get("user");
    const context = {
      page: where(),
      campaign: campaign(),
      locale: navigator.language,
      library: { name: "trilha.js", version: VERSION },
      ...more,
    };
    keep({
      type,
      messageId: uuid(),
      timestamp: new Date().toISOString(),
      anonymousId: anonymousId(),
      ...(user ? { userId: user } : {}),
      ...fields,
      context,
    });
  }

  function keep(made) {
    const consent = made.type === "track" && /^consent\.(granted|withdrawn)$/.test(made.event);
    // What somebody says about consent is told even by those who are not to be watched.
    if (choice() === "out" && !consent) return;
    counter += 1;
    const order = `${Date.now()}${String(counter).padStart(6, "0")}`;
    put(`m.${order}.${consent ? "c" : "e"}.${made.messageId}`, JSON.stringify(made));
    const all = kept();
    const idle = all.filter((key) => !ofConsent(key));
    [...idle, ...all.filter(ofConsent)].slice(0, Math.max(0, all.length - MAX_KEPT)).forEach(drop);
    schedule(settings.flushAfter);
  }

  // --- Sending ---

  const size = (text) => new Blob([text]).size;

  // The oldest that fit into one call.
  function pick() {
    const chosen = [];
    let bytes = 300;
    for (const key of kept()) {
      if (handed.has(key) || !(allowed() || ofConsent(key))) continue;
      const text = get(key);
      if (text === null) continue;
      bytes += size(text) + 1;
      if (chosen.length && (bytes > MAX_BYTES || chosen.length >= most)) break;
      chosen.push([key, text]);
    }
    return chosen;
  }

  // As text: for a body of JSON the browser would ask the door for permission first, each time a page is left.
  function call(chosen) {
    const head = JSON.stringify({ writeKey: settings.key, sentAt: new Date().toISOString() });
    return `${head.slice(0, -1)},"batch":[${chosen.map(([, text]) => text).join(",")}]}`;
  }

  const request = (body, keepalive) =>
    fetch(settings.url, {
      method: "POST",
      body,
      headers: { "Content-Type": "text/plain" },
      credentials: "omit",
      keepalive,
    });

  function backOff(asked) {
    failures += 1;
    const wait = Math.min(500 * 2 ** failures, 300000);
    const seconds = /^\d+$/.test(asked || "") ? Number(asked) * 1000 : Date.parse(asked || "") - Date.now();
    if (seconds > 0) until = Date.now() + Math.min(seconds, DAY);
    return Math.max(wait / 2 + (Math.random() * wait) / 2, until - Date.now());
  }

  // How long to wait before the next call; null when there shall be none.
  async function post(chosen) {
    let answer;
    try {
      answer = await request(call(chosen), document.visibilityState === "hidden");
    } catch {
      return backOff(null);
    }
    const told = await answer.json().catch(() => ({}));
    if (answer.status === 408 || answer.status === 429 || answer.status >= 500) {
      return backOff(answer.headers.get("Retry-After"));
    }
    failures = 0;
    if (answer.status === 413 && chosen.length > 1) {
      most = Math.max(1, chosen.length >> 1);
      return 0;
    }
    if (answer.status === 401 || answer.status === 403) {
      refused = true;
      warn(told.code, told.detail, (told.errors || [{}])[0].hint);
      return null;
    }
    chosen.forEach(([key]) => drop(key));
    const wrong = answer.ok ? told.rejected || [] : told.errors || [{}];
    wrong.forEach((one) => warn(one.code, one.pointer, one.message, one.hint));
    return 0;
  }

  async function drain() {
    for (let chosen = pick(); chosen.length; chosen = pick()) {
      const wait = await post(chosen);
      if (wait === null) return;
      if (wait > 0) {
        schedule(wait);
        return;
      }
    }
  }

  async function flush() {
    clearTimeout(timer);
    timer = 0;
    if (sending || refused || navigator.onLine === false) return;
    if (Date.now() < until) {
      schedule(until - Date.now());
      return;
    }
    sending = true;
    try {
      // One page at a time, where the browser can see to that; two would only repeat each other.
      const alone = (lock) => (lock ? drain() : schedule(1000));
      await (navigator.locks ? navigator.locks.request(`${home}send`, { ifAvailable: true }, alone) : drain());
    } catch {
      schedule(backOff(null));
    } finally {
      sending = false;
    }
    if (!timer && !refused && pick().length) schedule(settings.flushAfter);
  }

  function schedule(wait) {
    if (!timer && !refused) timer = setTimeout(flush, wait);
  }

  // Hand everything to the browser, which sends it even when the page is gone. It stays kept, and is sent again
  // by the next page unless an answer has come: the door knows repetitions by their ids.
  function leave() {
    if (!settings || refused || Date.now() < until) return;
    for (let chosen = pick(); chosen.length; chosen = pick()) {
      const body = call(chosen);
      const taken = navigator.sendBeacon && navigator.sendBeacon(settings.url, new Blob([body], { type: "text/plain" }));
      if (!taken) request(body, true).catch(() => {});
      chosen.forEach(([key]) => handed.add(key));
    }
    if (handed.size) setTimeout(back, 5000);
  }

  function back() {
    handed.clear();
    schedule(settings.flushAfter);
  }

  // --- Asking: what is for this visitor alone, and who that is ---

  // What the page's server signed of who is here, or a function that fetches it. Never kept in the browser.
  let proof = null;
  // What such a function fetches, once for all who ask, until the door says that it has ended.
  let held = null;

  function proven() {
    if (typeof proof !== "function") return Promise.resolve(proof || "");
    held = held || Promise.resolve().then(proof).then((token) => String(token || "")).catch(() => "");
    return held;
  }

  // The answer as an object; null where the visitor is not to be known, the door has refused, or nobody answers.
  async function ask(path, said, again = true) {
    await loaded;
    if (!allowed() || refused) return null;
    const mine = proven();
    const token = await mine;
    if (!token && held === mine) held = null;
    const body = { writeKey: settings.key, anonymousId: anonymousId(), ...(token ? { token } : {}), ...said };
    const answer = await fetch(settings.origin + path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "Content-Type": "text/plain" },
      credentials: "omit",
      // What was done with it is told even as the page is left for where a link leads.
      keepalive: path.endsWith("/marks"),
    }).catch(() => null);
    const told = answer && (await answer.json().catch(() => null));
    if (answer && answer.ok) return told;
    // One that ended meanwhile; a page that fetches them has a new one.
    if (told && told.code === "token_expired" && again && typeof proof === "function") {
      if (held === mine) held = null;
      return ask(path, said, false);
    }
    if (told) warn(told.code, told.detail, (told.errors || [{}])[0].hint);
    return null;
  }

  function prove(token) {
    proof = token || null;
    held = null;
    changed();
  }

  // Parts are scripts of their own, which may come later than the calls that are meant for them.
  const parts = [];
  const later = [];

  function part(make) {
    const made = make({ ask, warn });
    parts.push(made);
    Object.assign(api, wrapped(made.calls));
    later.splice(0).forEach(([name, given]) => (name in made.calls ? api[name](...given) : later.push([name, given])));
  }

  const changed = () => parts.forEach((one) => one.changed && one.changed());

  // --- Plain HTML forms ---

  const SECRET = /^(password|file|submit|button|image|reset)$/;

  function valueOf(field) {
    if (field.type === "checkbox") return field.hasAttribute("value") ? (field.checked ? field.value : undefined) : field.checked;
    if (field.type === "radio") return field.checked ? field.value : undefined;
    if (field.type === "number" || field.type === "range") return field.value === "" ? undefined : Number(field.value);
    if (field.type === "select-multiple") return [...field.selectedOptions].map((option) => option.value);
    return field.value === "" ? undefined : field.value;
  }

  function isTold(field) {
    const data = field.dataset || {};
    if (!field.name || field.disabled || SECRET.test(field.type) || "trilhaIgnore" in data) return false;
    if ("trilhaConsent" in data) return false;
    if (/^(cc-|one-time-code|current-password|new-password)/.test(field.autocomplete || "")) return false;
    return field.type !== "hidden" || "trilhaIdentify" in data || "trilhaProperty" in data;
  }

  function add(values, name, value) {
    if (value === undefined) return;
    values[name] = name in values ? [].concat(values[name], value) : value;
  }

  function words(field) {
    const label = field.labels && field.labels[0];
    return label ? label.textContent.replace(/\s+/g, " ").trim() : undefined;
  }

  function form(element) {
    const everyone = "trilhaIdentify" in element.dataset;
    const traits = {};
    const properties = {};
    for (const field of element.elements) {
      if (!isTold(field)) continue;
      const { trilhaIdentify, trilhaProperty } = field.dataset;
      const trait = trilhaProperty === undefined && (everyone || trilhaIdentify !== undefined);
      add(trait ? traits : properties, trilhaIdentify || trilhaProperty || field.name, valueOf(field));
    }
    const user = traits.userId;
    delete traits.userId;
    if (user !== undefined || Object.keys(traits).length) identify(user === undefined ? null : String(user), traits);
    if (element.dataset.trilha) track(element.dataset.trilha, properties);
    for (const field of element.elements) {
      const { trilhaConsent: purpose, trilhaNotice: notice, trilhaNoticeVersion: version } = field.dataset || {};
      if (!purpose || field.disabled || !field.checked) continue;
      consent({ purpose, granted: true, email: traits.email, notice, noticeVersion: version, text: words(field) });
    }
    leave();
  }

  function submitted(event) {
    const element = event.target;
    // A form whose own script has stopped it goes nowhere yet; that script may call trilha.form().
    if (event.defaultPrevented || !element.dataset) return;
    if ("trilha" in element.dataset || "trilhaIdentify" in element.dataset) api.form(element);
  }

  // --- What pages call ---

  const named = (value) => (typeof value === "number" ? String(value) : value);

  function track(event, properties = {}) {
    message("track", { event, properties });
  }

  function page(name, properties = {}) {
    const told = typeof name === "object" && name ? name : properties;
    message("page", { name: typeof name === "string" ? name : undefined, properties: { ...where(), ...told } });
  }

  function identify(userId, traits = {}) {
    if (typeof userId === "object" && userId) {
      identify(null, userId);
      return;
    }
    if (userId) put("user", named(userId));
    message("identify", { traits });
  }

  function group(groupId, traits = {}) {
    message("group", { groupId: named(groupId), traits });
  }

  function alias(userId, previousId) {
    const previous = previousId || get("user") || anonymousId();
    put("user", named(userId));
    message("alias", { userId: named(userId), previousId: named(previous) });
  }

  function consent({ purpose, granted, email, notice, noticeVersion, text, language, url }) {
    const properties = {
      purpose,
      address: email,
      notice,
      notice_version: noticeVersion,
      text: text && text.slice(0, MAX_TEXT),
      language: language || document.documentElement.lang || undefined,
      url: plain(url || location.href),
    };
    const event = granted ? "consent.granted" : "consent.withdrawn";
    message("track", { event, properties }, { userAgent: navigator.userAgent });
  }

  function reset() {
    drop("user");
    drop("id");
    writeCookie("", 0);
    prove(null);
  }

  function optIn() {
    settings.chosen = "in";
    put("choice", "in", true);
    [...memory].forEach(([key, value]) => put(key, value));
    schedule(0);
    changed();
  }

  function optOut() {
    const forgotten = kept().filter((key) => !ofConsent(key));
    // What is to be told yet moves from storage into memory before storage is closed.
    const last = kept().filter(ofConsent).map((key) => [key, get(key)]);
    [...forgotten, ...last.map(([key]) => key)].forEach(drop);
    reset();
    settings.chosen = "out";
    put("choice", "out", true);
    last.forEach(([key, text]) => memory.set(key, text));
    schedule(0);
    changed();
  }

  function load(key, options = {}) {
    if (settings) return;
    const origin = options.host || (script ? new URL(script.src).origin : location.origin);
    const base = origin.replace(/\/$/, "");
    settings = { flushAfter: 1000, ...options, key, origin: base, url: `${base}/v1/batch` };
    home = `trilha.${key.slice(-8)}.`;
    settings.chosen = get("choice", true);
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", back);
    window.addEventListener("online", flush);
    document.addEventListener("visibilitychange", () => (document.visibilityState === "hidden" ? leave() : back()));
    if (options.forms !== false) document.addEventListener("submit", submitted);
    before.splice(0).forEach(([name, given]) => api[name](...given));
    isLoaded();
    if (kept().length) schedule(settings.flushAfter);
  }

  // A page goes on whatever happens in here.
  const api = { version: VERSION };
  const own = { load, track, page, identify, group, alias, consent, form, reset, optIn, optOut, prove, flush, anonymousId };

  function wrapped(calls) {
    const safe = {};
    for (const [name, call_] of Object.entries(calls)) {
      safe[name] = (...given) => {
        try {
          if (settings || name === "load" || name === "part") return call_(...given);
          before.push([name, given]);
        } catch (error) {
          warn(error);
        }
        return undefined;
      };
    }
    return safe;
  }

  for (const name of ["slot", "inbox"]) api[name] = (...given) => void later.push([name, given]);
  Object.assign(api, wrapped({ ...own, part }));
  window.trilha = api;

  ((early && early.q) || []).forEach(([name, given]) => api[name] && api[name](...given));
  if (script && script.dataset.key) {
    const { key, page: first, waitForConsent, storage, cookieDomain } = script.dataset;
    const cookie = cookieDomain === undefined ? undefined : { domain: cookieDomain };
    api.load(key, { waitForConsent: waitForConsent !== undefined, storage, cookie });
    if (first !== "off") api.page();
  }
})();
