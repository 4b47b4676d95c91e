/*! trilha-sw.js 1.1.0: shows what Trilha pushes. Loaded by a service worker of the site's own: docs/browser.md */
(() => {
  "use strict";

  const here = new URL(self.location.href).searchParams;

  // Ours, or another library's that shares the worker: that one is left to it.
  function read(data) {
    try {
      const said = data && data.json();
      return said && said.trilha === 1 && typeof said.title === "string" ? said : null;
    } catch {
      return null;
    }
  }

  // Where a tap leads: a page of the web, and nothing that would run.
  function target(link) {
    try {
      const url = new URL(link || "/", self.registration.scope);
      return url.protocol === "https:" || url.protocol === "http:" ? url.href : "";
    } catch {
      return "";
    }
  }

  function show(said) {
    const { title, body, icon, image, tag, lang, link, message, tell, token } = said;
    const shown = { body, icon, image, tag, lang, data: { trilha: 1, link: target(link), message, tell, token } };
    return self.registration.showNotification(title, JSON.parse(JSON.stringify(shown)));
  }

  // Whoever sent it learns what became of it; that they cannot be reached is no reason to show nothing.
  async function report({ tell, token }, happened) {
    if (typeof tell !== "string" || typeof token !== "string") return;
    const body = JSON.stringify({ token, happened });
    const headers = { "Content-Type": "text/plain" };
    const options = { method: "POST", mode: "no-cors", credentials: "omit", keepalive: true, body, headers };
    await fetch(tell, options).catch(() => {});
  }

  async function open(link) {
    const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
    const there = windows.find((one) => one.url === link);
    return there ? there.focus() : self.clients.openWindow(link);
  }

  // The browser has changed its subscription, and no page is open that would tell.
  async function change(event) {
    const [host, writeKey, publicKey] = ["host", "key", "publicKey"].map((name) => here.get(name));
    const old = event.oldSubscription;
    if (!host || !writeKey || !publicKey || !old) return;
    const options = { userVisibleOnly: true, applicationServerKey: old.options.applicationServerKey };
    const fresh = event.newSubscription || (await self.registration.pushManager.subscribe(options));
    // By its secret the door knows that the old one was this browser's.
    const { auth } = old.toJSON().keys;
    await fetch(`${host}/v1/push`, {
      method: "POST",
      body: JSON.stringify({ writeKey, publicKey, subscription: fresh.toJSON(), replaces: old.endpoint, auth }),
      headers: { "Content-Type": "text/plain" },
      credentials: "omit",
    });
  }

  self.addEventListener("push", (event) => {
    const said = read(event.data);
    if (said) event.waitUntil(show(said).then(() => report(said, "shown")));
  });

  self.addEventListener("notificationclick", (event) => {
    const data = event.notification.data;
    if (!data || data.trilha !== 1) return;
    event.notification.close();
    event.waitUntil(Promise.all([data.link && open(data.link), report(data, "clicked")]));
  });

  self.addEventListener("pushsubscriptionchange", (event) => event.waitUntil(change(event)));
})();
