// How far a broadcast is, without reloading the page; where its state changed, what can be done has changed, too.

const EVERY = 3000;

function place() {
  return document.getElementById("broadcast-progress");
}

async function look() {
  const address = new URL(window.location.href);
  address.searchParams.set("part", "progress");
  const begun = Date.now();
  const answer = await fetch(address, { credentials: "same-origin", redirect: "error" });
  if (!answer.ok) {
    return 0;
  }
  const found = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = found.getElementById("broadcast-progress");
  if (!fresh) {
    return 0;
  }
  if (fresh.dataset.state !== place().dataset.state || fresh.dataset.over === "yes") {
    // Not under the hands of somebody who writes down a reason.
    const why = document.getElementById("broadcast-why");
    if (!why || (why !== document.activeElement && !why.value)) {
      window.location.reload();
    }
  }
  if (!place().contains(document.activeElement)) {
    place().replaceWith(document.adoptNode(fresh));
  }
  return Date.now() - begun;
}

async function keepLooking() {
  let took = 0;
  try {
    if (!document.hidden) {
      took = await look();
    }
  } catch {
    // The next look may find the network again.
  }
  // Of what takes long to count it is asked seldom.
  window.setTimeout(keepLooking, EVERY + 10 * took);
}

window.setTimeout(keepLooking, EVERY);
