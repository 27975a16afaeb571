// The palette: what the page /go finds, over the page that one is on, while one types. It leads somewhere, and does
// nothing by itself. Without this the box in the page's head asks that page.
"use strict";
{
  const palette = $("#palette"), box = $("input", palette), list = $("#options"), says = $("[role=status]", palette);
  const PAUSE = 90;   // milliseconds without a key, before it is looked
  let timer, asked = new AbortController(), shown = null, entered = false, chosen = null;

  const options = () => $$("a[data-hit]", list);

  function choose(option) {
    chosen?.setAttribute("aria-selected", "false");
    chosen = option ?? null;
    chosen?.setAttribute("aria-selected", "true");
    chosen?.scrollIntoView({ block: "nearest" });
    if (chosen) box.setAttribute("aria-activedescendant", chosen.id);
    else box.removeAttribute("aria-activedescendant");
  }

  function take(option) {
    if (option.dataset.fill) {
      box.value = option.dataset.fill;
      return look();
    }
    palette.close();
    if (option.matches("[data-dialog]")) open(option.href);
    else location.href = option.href;
  }

  // A part of the page /go, as the options of a box: lists and headings are there only to look at.
  function draw(part) {
    for (const section of $$("section", part)) {
      const title = $("h2", section);
      section.setAttribute("role", "group");
      section.setAttribute("aria-label", title.textContent);
      section.removeAttribute("aria-labelledby");
      title.removeAttribute("id");
      for (const it of $$("h2, ul, li, p", section)) it.setAttribute("role", "presentation");
    }
    $$("a[data-hit]", part).forEach((option, at) => {
      Object.assign(option, { id: `option-${at}`, role: "option", tabIndex: -1 });
      option.setAttribute("aria-selected", "false");
    });
    list.replaceChildren(...part.childNodes);
    list.scrollTop = 0;
    const all = options();
    // Where nothing is to be chosen, it only says why.
    list.setAttribute("role", all.length > 0 ? "listbox" : "group");
    box.setAttribute("aria-expanded", all.length > 0);
    choose(all[0]);
    says.textContent = [part.dataset.says, ...$$("p", list).map((line) => line.textContent)].join(". ");
  }

  async function look() {
    const text = box.value.trim();
    clearTimeout(timer);
    asked.abort();
    asked = new AbortController();
    const { signal } = asked;
    try {
      const answer = await fetch(`${home}/go/found?${new URLSearchParams({ q: text })}`, { signal, headers: { "HX-Request": "true" } });
      if (answer.status === 401) return leave();
      const part = answer.ok && $("#found", new DOMParser().parseFromString(await answer.text(), "text/html"));
      if (signal.aborted) return;
      // What is wrong is said by the page, to which Enter goes.
      if (!part) { list.replaceChildren(); choose(null); }
      else draw(part);
      shown = text;
    } catch {
      if (signal.aborted) return;
      shown = null;
      list.replaceChildren();
      choose(null);
      says.textContent = "This console does not answer.";
    }
    if (entered) enter();
  }

  function enter() {
    entered = false;
    if (chosen) take(chosen);
    else box.form.submit();
  }

  function show(text = "") {
    if (palette.open) return box.select();
    box.value = text;
    shown = null;
    entered = false;
    palette.showModal();
    box.focus();
    look();
  }

  box.addEventListener("input", () => { clearTimeout(timer); asked.abort(); entered = false; timer = setTimeout(look, PAUSE); });
  box.addEventListener("keydown", (event) => {
    const all = options(), at = all.indexOf(chosen);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && all.length) {
      event.preventDefault();
      choose(all.at((at + step) % all.length));
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      // What is on the list may be of what was typed before: then its own answer is waited for.
      if (shown === box.value.trim()) return enter();
      entered = true;
      look();
    }
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("a[data-hit]");
    if (!option || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
    event.preventDefault();
    event.stopPropagation();
    take(option);
    if (palette.open) box.focus();
  });
  list.addEventListener("pointermove", (event) => {
    const option = event.target.closest("a[data-hit]");
    if (option && option !== chosen) choose(option);
  });
  palette.addEventListener("click", (event) => { if (event.target === palette || event.target.closest("[data-shut]")) palette.close(); });
  palette.addEventListener("close", () => { clearTimeout(timer); asked.abort(); });

  const find = $("[data-find]");
  // On a phone, what had the focus gets it back, and its keyboard with it.
  find.addEventListener("mousedown", (event) => { if (event.button === 0) event.preventDefault(); });
  find.addEventListener("click", () => show(find.value));
  KEYS["/"] = () => show(find.value);
}
