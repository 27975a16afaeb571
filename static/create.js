// The form that makes a container: looking for a field, and taking what a remark offers, without asking the server.
"use strict";

(() => {
  const form = document.getElementById("create"), box = document.getElementById("f-field"), told = document.getElementById("sought");
  const all = (selector, root = form) => [...root.querySelectorAll(selector)];
  const fields = all("[data-find]"), words = new Map(fields.map((field) => [field, field.dataset.find.split(/\s+/)]));
  const folds = all("details").filter((fold) => fold.querySelector("[data-find]"));
  let was = null;   // which were open before anything was looked for

  // As `finds` in seek.rs: a flag by its beginning, what follows it being its value; else every word.
  const finds = (query, field) => {
    const terms = query.split(/\s+/).filter(Boolean), [first = ""] = terms, of = words.get(field);
    if (/^--./.test(first)) return of.some((word) => word.startsWith(first.split("=")[0].toLowerCase()));
    if (/^-[^-]/.test(first)) return [...first.slice(1)].some((letter) => of.includes(`-${letter}`));
    return terms.every((term) => field.dataset.find.includes(term.replace(/^-+/, "").toLowerCase()));
  };
  const shown = (root) => all("[data-find]", root).filter((field) => !field.hidden);

  function seek() {
    const query = box.value.trim();
    if (query && !was) was = new Map(folds.map((fold) => [fold, fold.open]));
    fields.forEach((field) => { field.hidden = !finds(query, field); });
    all("[data-part]").forEach((part) => { part.hidden = query ? !shown(part).length : part.id === "elsewhere"; });
    folds.forEach((fold) => {
      fold.open = query ? shown(fold).length > 0 || fold.matches("[data-find]") : was?.get(fold) ?? fold.open;
      if (!fold.matches("[data-find]")) fold.hidden = query && !shown(fold).length;
    });
    if (!query) was = null;
    const found = shown(form).length, text = document.createElement("span");
    text.textContent = found ? `${found} field${found === 1 ? "" : "s"} found.` : `There is no field for “${box.value.trim()}”.`;
    const clear = Object.assign(document.createElement("button"), { type: "button", className: "btn small", textContent: "Show all fields" });
    clear.addEventListener("click", () => { box.value = ""; seek(); box.focus(); });
    told.replaceChildren(...query ? [text, " ", clear] : []);
  }
  // Nothing is sent for it: Enter in other fields goes on to send the form.
  box.removeAttribute("name");
  box.addEventListener("input", (event) => { event.stopPropagation(); seek(); });
  box.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && box.value) { event.preventDefault(); box.value = ""; seek(); }
    if (event.key !== "Enter") return;
    event.preventDefault();
    const first = shown(form).map((field) => field.querySelector("input:not([type=hidden]), textarea")).find(Boolean);
    if (box.value.trim()) first?.focus();
  });
  if (box.value) seek();

  // A link to a field leads to it, wherever it is.
  document.addEventListener("click", (event) => {
    const link = event.target.closest('a[href^="#f-"]'), place = link && document.getElementById(link.hash.slice(1));
    if (place?.closest("[hidden]")) { box.value = ""; seek(); }
    for (let fold = place?.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
  });

  form.addEventListener("click", (event) => {
    const [, name, nth, value] = event.target.closest?.("button[name=then]")?.value.match(/^set (\S+) (\d+) (.*)$/s) ?? [];
    const field = name && all(`[name="${CSS.escape(name)}"]`)[nth];
    if (!field) return;
    event.preventDefault();
    field.value = value;
    field.focus();
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });

  KEYS.f = () => { box.focus(); box.select(); box.scrollIntoView({ block: "center" }); };
  NAMES.f = "find a field of this form";
})();
