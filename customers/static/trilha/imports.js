// How far an import is, without reloading the page.

const EVERY = 2000;

async function look() {
  const address = new URL(window.location.href);
  address.searchParams.set("part", "progress");
  const answer = await fetch(address, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) {
    return;
  }
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = found.getElementById("import-progress");
  if (!fresh) {
    return;
  }
  if (fresh.dataset.over === "yes") {
    // What can be done now, and what was refused, is told by the whole page.
    window.location.reload();
    return;
  }
  document.getElementById("import-progress").replaceWith(document.adoptNode(fresh));
}

async function keepLooking() {
  try {
    if (!document.hidden) {
      await look();
    }
  } catch {
    // The next look may find the network again.
  }
  window.setTimeout(keepLooking, EVERY);
}

window.setTimeout(keepLooking, EVERY);
