// Files: dropping them on the page, and how far an upload is. Without this the form sends them just as well.
"use strict";
{
  const form = document.querySelector("[data-upload]");
  const list = document.querySelector("[data-uploads]");
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const words = (bytes) => {
    let unit = 0;
    while (bytes >= 1000 && unit + 1 < units.length) { bytes /= 1024; unit += 1; }
    return `${unit === 0 ? bytes : bytes.toPrecision(3)} ${units[unit]}`;
  };

  const make = (name, classes, text) => {
    const element = document.createElement(name);
    if (classes) element.className = classes;
    if (text) element.textContent = text;
    return element;
  };

  // One line of the list, with how far it is and a way out: also before anything is sent.
  const line = (file) => {
    const item = make("li");
    const name = make("b", "mono", file.name);
    const says = make("span", "sub", "waiting");
    const bar = make("progress");
    const stop = make("button", "btn small", "Cancel");
    bar.max = Math.max(file.size, 1);
    bar.value = 0;
    bar.setAttribute("aria-label", `Upload of ${file.name}`);
    stop.type = "button";
    item.append(name, says, bar, stop);
    list.append(item);
    const shown = { item, says, bar, stop, end: (state, text) => {
      item.dataset.state = state;
      says.textContent = text;
      stop.remove();
      if (state !== "done") bar.remove();
    } };
    stop.addEventListener("click", () => shown.end("cancelled", "cancelled"));
    return shown;
  };

  // What of that name is there already. The folder is asked, not the file: that it is not there is no error.
  const exists = async (name) => {
    const query = new URLSearchParams({ path: form.dataset.path, q: name });
    const answer = await fetch(`${form.dataset.look}?${query}`, { headers: { Accept: "application/json" } });
    if (!answer.ok) return null;
    return (await answer.json()).entries.find((entry) => entry.name === name)?.kind ?? null;
  };

  // Asks in the line itself whether a file is to be replaced.
  const asks = (file, { says, bar, stop }) => new Promise((answer) => {
    const yes = make("button", "btn small danger", "Replace");
    const no = make("button", "btn small", "Skip");
    yes.type = no.type = "button";
    yes.setAttribute("aria-label", `Replace ${file.name}`);
    no.setAttribute("aria-label", `Skip ${file.name}`);
    says.textContent = "is there already.";
    bar.hidden = stop.hidden = true;
    yes.dataset.asks = "";
    const end = (replace) => {
      yes.remove();
      no.remove();
      bar.hidden = stop.hidden = false;
      says.textContent = "waiting";
      list.querySelector("[data-asks]")?.focus();
      answer(replace);
    };
    yes.addEventListener("click", () => end(true));
    no.addEventListener("click", () => end(false));
    says.after(yes, no);
    // The first of several: who answers that comes to the next.
    if (list.querySelector("[data-asks]") === yes) yes.focus();
  });

  const send = (file, replace, { says, bar, stop, end: shows }) => new Promise((done) => {
    const request = new XMLHttpRequest();
    const end = (state, text) => {
      shows(state, text);
      done(state === "done");
    };
    request.open("POST", `${form.action}${replace ? "&replace=1" : ""}`);
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => {
      bar.value = Math.min(event.loaded, file.size);
      says.textContent = event.loaded >= file.size ? "received, being written…" : `${words(event.loaded)} of ${words(file.size)}`;
    });
    request.addEventListener("load", () => {
      let told = {};
      try { told = JSON.parse(request.responseText); } catch { /* a proxy's page */ }
      if (request.status < 300) {
        bar.value = bar.max;
        end("done", "uploaded");
      } else {
        end("failed", [told.error, told.why].filter(Boolean).join(" ") || `not uploaded (${request.status})`);
      }
    });
    request.addEventListener("error", () => end("failed", "not uploaded: the connection broke"));
    request.addEventListener("abort", () => end("cancelled", "cancelled"));
    stop.addEventListener("click", () => request.abort());
    const data = new FormData();
    data.append("file", file);
    request.send(data);
  });

  const upload = async (files) => {
    const all = files.map((file) => [file, line(file)]);
    const cancelled = (shown) => shown.item.dataset.state === "cancelled";
    // One after the other; what is asked about waits beside, and comes when it is answered.
    const questions = [];
    let went = 0, sending = Promise.resolve();
    const sends = (file, replace, shown) => sending = sending.then(async () => {
      if (!cancelled(shown) && await send(file, replace, shown)) went += 1;
    });
    const isThere = (kind, shown) => shown.end("failed", `not uploaded: a ${kind} of that name is there`);
    for (const [file, shown] of all) {
      if (cancelled(shown)) continue;
      if (file.size > Number(form.dataset.largest)) {
        shown.end("failed", `too large: ${words(file.size)}`);
        continue;
      }
      const replace = form.elements.replace.checked;
      const kind = replace ? null : await exists(file.name);
      if (cancelled(shown)) continue;
      if (kind === "file") questions.push(asks(file, shown).then((yes) => yes ? sends(file, true, shown) : isThere(kind, shown)));
      else if (kind) isThere(kind, shown);
      else await sends(file, replace, shown);
    }
    await Promise.all(questions);
    // The list of files is drawn by the server: once all are there, it is fetched anew.
    if (went > 0 && went === all.length) window.location.reload();
  };

  if (form && list) {
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const files = [...form.elements.file.files];
      form.elements.file.value = "";
      upload(files);
    });
    const main = document.getElementById("main");
    const isFiles = (event) => event.dataTransfer && [...event.dataTransfer.types].includes("Files");
    let depth = 0;
    const mark = (on) => main.classList.toggle("dropping", on);
    main.addEventListener("dragenter", (event) => { if (isFiles(event)) { depth += 1; mark(true); } });
    main.addEventListener("dragleave", (event) => { if (isFiles(event)) { depth -= 1; mark(depth > 0); } });
    main.addEventListener("dragover", (event) => { if (isFiles(event)) event.preventDefault(); });
    main.addEventListener("drop", (event) => {
      if (!isFiles(event)) return;
      event.preventDefault();
      depth = 0;
      mark(false);
      // A folder comes as a file without bytes, and cannot be sent as one.
      const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
      const plain = items.filter((item) => !item.webkitGetAsEntry || item.webkitGetAsEntry()?.isFile !== false);
      const files = plain.map((item) => item.getAsFile()).filter(Boolean);
      if (files.length < items.length) {
        const told = make("li", "", "Folders cannot be dropped: put their files into a tar, or make the folder first.");
        list.append(told);
      }
      document.getElementById("up").scrollIntoView({ block: "nearest" });
      upload(files);
    });
  }
}
