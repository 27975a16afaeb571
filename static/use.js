// What the rows of the list use: told beside the rows, so that a number that changes draws no row anew.
"use strict";

(() => {
  const stream = document.getElementById("stream"), latest = new Map();
  const fill = (cell, text, share, title) => {
    if (cell.textContent === text && (cell.firstElementChild || !text)) return;
    if (!text) return cell.replaceChildren();
    let [meter, words] = cell.children;
    if (!words) {
      [meter, words] = [document.createElement("meter"), document.createElement("span")];
      Object.assign(meter, { min: 0, max: 100 });
      meter.setAttribute("aria-hidden", "true");
      cell.replaceChildren(meter, words);
    }
    meter.value = share;
    words.textContent = text;
    if (title) cell.title = title;
  };
  function paint() {
    for (const [id, uses] of latest) {
      const row = document.getElementById(`container-${id}`);
      if (!row) { latest.delete(id); continue; }
      const [cpu, memory] = row.querySelectorAll("[data-use]");
      fill(cpu, uses?.cpu ?? "", uses?.cpu_share);
      fill(memory, uses?.memory ?? "", uses?.memory_share, uses?.title);
      if (!uses) latest.delete(id);
    }
  }
  stream?.addEventListener("use", ({ detail }) => {
    for (const [id, uses] of Object.entries(JSON.parse(detail.data))) latest.set(id, uses);
    paint();
  });
  // A row that was drawn anew has no numbers: they are those from before.
  document.addEventListener("htmx:after:swap", paint);
})();
