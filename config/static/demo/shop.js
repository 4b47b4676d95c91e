/* The demo's shop: what its buttons tell, and a list of what was told. */
(() => {
  "use strict";

  const told = document.getElementById("told");
  const order = document.getElementById("order");
  let cart = null;

  function list(name) {
    const line = document.createElement("li");
    line.textContent = name;
    told.append(line);
  }

  function details(name, said) {
    if (name === "product.viewed") return { sku: said.sku };
    if (name === "cart.created") {
      cart = { cart_id: `web-${Date.now()}`, items: [said.item], total: said.total, currency: said.currency };
      order.disabled = false;
      return { ...cart, item_name: said.item.name };
    }
    return { ...cart, order_id: `web-${Date.now()}` };
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-tell], [data-reset]");
    if (!button) return;
    if ("reset" in button.dataset) {
      trilha.reset();
      told.replaceChildren();
      return;
    }
    const name = button.dataset.tell;
    trilha.track(name, details(name, JSON.parse(button.dataset.details || "{}")));
    list(name);
    if (button === order) {
      // By then a journey has put something there.
      [2000, 5000, 10000].forEach((wait) => setTimeout(() => trilha.fillSlots(), wait));
      cart = null;
      order.disabled = true;
    }
  });

  // The form is told before it goes on; here it goes nowhere, so that the list stays.
  document.querySelector("form").addEventListener("submit", (event) => {
    event.preventDefault();
    trilha.form(event.target);
    list(event.target.dataset.trilha);
    event.target.reset();
  });
})();
