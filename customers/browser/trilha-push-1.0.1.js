/*! trilha-push.js 1.0.1: has a visitor's browser take pushes. Beside trilha.js; how to install it: docs/browser.md */
(() => {
  "use strict";

  const VERSION = "1.0.1";
  const script = document.currentScript;
  if (!script || !script.dataset.key || !script.dataset.publicKey) return;

  const { key, publicKey } = script.dataset;
  const host = (script.dataset.host || new URL(script.src).origin).replace(/\/$/, "");
  const worker = script.dataset.worker || "/trilha-sw.js";
  // Of the subscription that the door knows, with the secret by which the door knows whose it is: a browser may change
  // it by itself.
  const TOLD = `trilha.${key.slice(-8)}.push`;
  const PATIENCE = 10000;

  const supported = () => "serviceWorker" in navigator && "PushManager" in window && "Notification" in window;
  const warn = (...words) => window.console && console.warn("trilha.push:", ...words);

  function told() {
    try {
      const kept = window.localStorage.getItem(TOLD) || "";
      // Version 1.0.0 kept the endpoint alone.
      return kept.startsWith("{") ? JSON.parse(kept) : { endpoint: kept };
    } catch {
      return { endpoint: "" };
    }
  }

  const secret = (found) => (found.toJSON().keys || {}).auth;

  function note(endpoint, auth) {
    try {
      if (endpoint) window.localStorage.setItem(TOLD, JSON.stringify({ endpoint, auth }));
      else window.localStorage.removeItem(TOLD);
    } catch {
      // Not allowed: it is told again by the next page, and known there.
    }
  }

  // --- What the browser has ---

  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (sign) => sign.charCodeAt(0));

  function address() {
    const url = new URL(worker, location.href);
    // What the worker needs where no page is open: a browser that changes its subscription wakes it alone.
    url.searchParams.set("host", host);
    url.searchParams.set("key", key);
    url.searchParams.set("publicKey", publicKey);
    return url.href;
  }

  async function registration() {
    await navigator.serviceWorker.register(address());
    return navigator.serviceWorker.ready;
  }

  const sameKey = (subscription) => {
    const own = subscription.options && subscription.options.applicationServerKey;
    if (!own) return true;
    const wanted = bytes(publicKey);
    const given = new Uint8Array(own);
    return given.length === wanted.length && given.every((value, at) => value === wanted[at]);
  };

  async function subscription(registered) {
    const found = await registered.pushManager.getSubscription();
    if (found && sameKey(found)) return found;
    // Of another key: nobody who has ours can write to it.
    if (found) await found.unsubscribe();
    return registered.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: bytes(publicKey) });
  }

  // --- What the door is told ---

  // The visitor is known by trilha.js, which may still be on its way.
  async function visitor() {
    for (let waited = 0; waited < PATIENCE; waited += 50) {
      const id = window.trilha && window.trilha.version && window.trilha.anonymousId();
      if (id) return id;
      await new Promise((go) => setTimeout(go, 50));
    }
    throw new Error("trilha.js is not there");
  }

  async function message() {
    const id = window.crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
    const page = { url: location.href.split(/[?#]/)[0], path: location.pathname, title: document.title };
    const library = { name: "trilha-push.js", version: VERSION };
    return {
      messageId: id,
      timestamp: new Date().toISOString(),
      anonymousId: await visitor(),
      context: { page, library, locale: navigator.language, userAgent: navigator.userAgent },
    };
  }

  function agreed({ purpose, notice, noticeVersion, text, language } = {}) {
    if (!purpose) return undefined;
    return {
      purpose,
      notice,
      notice_version: noticeVersion,
      text: text && text.slice(0, 2000),
      language: language || document.documentElement.lang || undefined,
      url: location.href.split(/[?#]/)[0],
    };
  }

  async function tell(what) {
    const answer = await fetch(`${host}/v1/push`, {
      method: "POST",
      // As text: for a body of JSON the browser would ask the door for permission first.
      body: JSON.stringify({ writeKey: key, publicKey, ...what }),
      headers: { "Content-Type": "text/plain" },
      credentials: "omit",
    });
    const said = await answer.json().catch(() => ({}));
    if (answer.ok) return said;
    const first = (said.errors || [{}])[0];
    warn(said.code, first.pointer, said.detail, first.hint);
    throw new Error(said.code || `status ${answer.status}`);
  }

  // --- What pages call ---

  async function state() {
    if (!supported()) return "unsupported";
    if (Notification.permission === "denied") return "denied";
    const registered = await navigator.serviceWorker.getRegistration(address());
    const found = registered && (await registered.pushManager.getSubscription());
    return found ? "subscribed" : "possible";
  }

  // To be called from a click: browsers ask nobody otherwise. Who says no is asked no more by them.
  async function subscribe(options) {
    if (!supported()) return { state: "unsupported" };
    try {
      if ((await Notification.requestPermission()) !== "granted") return { state: "denied" };
      const found = await subscription(await registration());
      const said = await tell({ subscription: found.toJSON(), message: await message(), consent: agreed(options) });
      note(said.endpoint, secret(found));
      return { state: "subscribed", endpoint: said.endpoint };
    } catch (error) {
      warn(error.message);
      return { state: "failed", reason: error.message };
    }
  }

  async function unsubscribe(options) {
    if (!supported()) return { state: "unsupported" };
    try {
      const registered = await navigator.serviceWorker.getRegistration(address());
      const found = registered && (await registered.pushManager.getSubscription());
      const { endpoint: ended, auth } = found ? { endpoint: found.endpoint, auth: secret(found) } : told();
      if (ended) await tell({ ended, auth, message: await message(), consent: agreed(options) });
      if (found) await found.unsubscribe();
      note("");
      return { state: "possible" };
    } catch (error) {
      warn(error.message);
      return { state: "failed", reason: error.message };
    }
  }

  // A browser that was subscribed and has another endpoint by now, or lost it with a key of ours that was replaced.
  async function renew() {
    const known = told();
    if (!known.endpoint || !supported() || Notification.permission !== "granted") return;
    const found = await subscription(await registration());
    if (found.endpoint === known.endpoint) {
      if (!known.auth) note(known.endpoint, secret(found));
      return;
    }
    // Without the old one's secret this is a new subscription, and the door is told whose.
    const fresh = known.auth ? { replaces: known.endpoint, auth: known.auth } : { message: await message() };
    const said = await tell({ subscription: found.toJSON(), ...fresh });
    note(said.endpoint, secret(found));
  }

  window.trilha = window.trilha || { q: [] };
  const push = { version: VERSION, state, subscribe, unsubscribe };
  // trilha.js puts itself in the place of the list that pages fill before it is there.
  let held = window.trilha;
  const attach = (value) => {
    held = value;
    if (held) held.push = push;
  };
  attach(held);
  Object.defineProperty(window, "trilha", { configurable: true, get: () => held, set: attach });
  renew().catch((error) => warn(error.message));
})();
