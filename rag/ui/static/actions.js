// What is done with buttons inside our own HTML. What the server must know goes through a hidden box
// (#cw-act, #cw-again): filled in, and Enter pressed, as a person would.
(() => {
  const box = (id) => document.querySelector(`#${id} textarea, #${id} input`);
  const enter = (id, text) => {
    const field = box(id);
    if (!field) return;
    const proto = Object.getPrototypeOf(field);
    Object.getOwnPropertyDescriptor(proto, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.dispatchEvent(new KeyboardEvent("keypress", { key: "Enter", bubbles: true, cancelable: true }));
  };
  // One wish after the other: the page must have read the box before the next one is put into it.
  let sent = Promise.resolve();
  const tell = (wish) => {
    sent = sent.then(() => {
      enter("cw-act", JSON.stringify(wish));
      return new Promise((next) => setTimeout(next, 200));
    });
  };
  const toChat = () => document.querySelector("#cw-tab-chat-button")?.click();
  const ask = (text) => {
    toChat();
    enter("cw-question", text);
  };
  const about = (title) => ask(`What does “${title.trim()}” show?`);

  const copy = async (button) => {
    const plain = button.parentElement.querySelector(".cw-plain").cloneNode(true);
    plain.querySelectorAll("br").forEach((line) => line.replaceWith("\n"));
    let told = "Copied";
    try {
      await navigator.clipboard.writeText(plain.textContent);
    } catch {
      told = "Not allowed";
    }
    button.textContent = told;
    setTimeout(() => (button.textContent = "Copy"), 1500);
  };

  // A line to type in, in place of `shown`; Enter hands it on, Escape leaves things as they were.
  const typed = (shown, text, label, done) => {
    const field = document.createElement("input");
    field.className = "cw-field";
    field.value = text;
    field.setAttribute("aria-label", label);
    field.placeholder = label;
    const back = () => field.isConnected && field.replaceWith(...(shown ? [shown] : []));
    field.addEventListener("keydown", (event) => {
      event.stopPropagation();
      if (event.key === "Escape") back();
      if (event.key !== "Enter") return;
      const said = field.value.trim();
      back();
      if (said) done(said);
    });
    return field;
  };

  const edit = (button) => {
    const shown = button.parentElement.querySelector("span");
    if (!shown) return;
    const field = typed(shown, shown.textContent, "Change the question and press Enter", (text) =>
      enter("cw-again", text));
    shown.replaceWith(field);
    field.focus();
  };

  const vote = (button) => {
    const [, verdict, number] = button.id.split("-");
    const row = button.parentElement;
    row.querySelectorAll(".cw-vote").forEach((other) => other.classList.toggle("cw-on", other === button));
    tell({ do: verdict, number });
    row.querySelector(".cw-field")?.remove();
    if (verdict !== "down") return;
    const field = typed(null, "", "What is wrong? (optional, Enter sends)", (note) =>
      tell({ do: verdict, number, note }));
    row.append(field);
    field.focus();
  };

  const keyOf = (button) => button.closest(".cw-saved").id.replace("cw-saved-", "");
  const rename = (button) => {
    const shown = button.closest(".cw-saved").querySelector(".cw-open");
    const field = typed(shown, shown.textContent, "New name", (title) => {
      shown.textContent = title;
      tell({ do: "rename", key: keyOf(button), title });
    });
    shown.replaceWith(field);
    field.select();
  };
  const remove = (button) => {
    if (button.classList.contains("cw-sure")) {
      tell({ do: "delete", key: keyOf(button) });
      button.closest(".cw-saved").remove();
      return;
    }
    button.classList.add("cw-sure");
    button.textContent = "Sure?";
    setTimeout(() => {
      button.classList.remove("cw-sure");
      button.textContent = "Delete";
    }, 3000);
  };

  const drawer = (open) => document.body.classList.toggle("cw-drawer-open", open);
  const open = (button) => {
    tell({ do: "open", key: keyOf(button) });
    toChat();
    drawer(false);
  };
  const theme = () => {
    const dark = document.body.classList.toggle("dark");
    localStorage.setItem("citewise-theme", dark ? "dark" : "light");
  };

  const acts = {
    "cw-copy": copy,
    "cw-vote": vote,
    "cw-edit": edit,
    "cw-again": (b) => ask(b.closest(".cw-turn").querySelector(".cw-question").innerText),
    "cw-ask": (b) => about(b.closest(".cw-entry").querySelector(".cw-title").textContent),
    "cw-open": open,
    "cw-rename": rename,
    "cw-delete": remove,
    "cw-menu": () => drawer(),
    "cw-theme": theme,
    "cw-tochat": toChat,
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest?.(".cw-do");
    const act = button && Object.keys(acts).find((name) => button.classList.contains(name));
    if (act) acts[act](button);
    else if (event.target.closest?.("#cw-new")) toChat();
    else if (!event.target.closest?.("#cw-drawer, .cw-field")) drawer(false);
  });
  document.addEventListener("keydown", (event) => event.key === "Escape" && drawer(false));

  // The map: a title under the pointer, a question on a click.
  const dotAt = (event) => event.target.closest?.(".cw-dot");
  document.addEventListener("pointermove", (event) => {
    const dot = dotAt(event);
    const tip = document.querySelector(".cw-map-tip");
    if (!tip) return;
    tip.hidden = !dot;
    if (!dot) return;
    tip.textContent = dot.getAttribute("aria-label");
    const frame = tip.parentElement.getBoundingClientRect();
    const left = event.clientX - frame.left;
    tip.style.left = `${Math.min(left + 12, frame.width - tip.offsetWidth - 4)}px`;
    tip.style.top = `${event.clientY - frame.top + 16}px`;
  });
  document.addEventListener("click", (event) => dotAt(event) && about(dotAt(event).getAttribute("aria-label")));
})();
