// What the stock pages lack for people who do not see them: names for the search boxes of select2, and silence
// for icons, whose letters would be read out.

const NAMED = "select2-selection__rendered";

function silence(icon) {
  icon.setAttribute("aria-hidden", "true");
}

function name(rendered) {
  const field = document.getElementById(rendered.id.replace(/^select2-/, "").replace(/-container$/, ""));
  const label = field && field.labels && field.labels[0];
  const spoken = label ? label.textContent.replace("*", "").trim() : field && field.getAttribute("aria-label");
  if (!spoken) {
    return;
  }
  const chosen = rendered.getAttribute("title") || "";
  rendered.setAttribute("aria-label", chosen ? `${spoken}: ${chosen}` : spoken);
}

function mend(root) {
  root.querySelectorAll(".material-symbols-outlined:not([aria-hidden])").forEach(silence);
  root.querySelectorAll(`.${NAMED}`).forEach(name);
  root.querySelectorAll(".select2-search__field:not([aria-label])").forEach((box) => {
    box.setAttribute("aria-label", document.getElementById("searchbar")?.placeholder || box.type);
  });
}

new MutationObserver((changes) => {
  for (const change of changes) {
    const node = change.type === "attributes" ? change.target.parentElement : change.target;
    if (node) {
      mend(node.parentElement || node);
    }
  }
}).observe(document.documentElement, { childList: true, subtree: true, attributes: true, attributeFilter: ["title"] });
document.addEventListener("DOMContentLoaded", () => {
  mend(document);
  // The navigation is longer than most screens: where one is must be seen.
  document.querySelector("#nav-sidebar-apps a.active")?.scrollIntoView({ block: "nearest" });
});

// "/" leads to the search box of a list, as it does elsewhere.
document.addEventListener("keydown", (pressed) => {
  const typing = pressed.target.closest("input, textarea, select, [contenteditable]");
  const box = document.getElementById("searchbar");
  if (pressed.key === "/" && !typing && !pressed.ctrlKey && !pressed.metaKey && box) {
    pressed.preventDefault();
    box.focus();
  }
});
