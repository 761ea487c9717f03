// [n] marks: pointing at one, or reaching it by keyboard, shows its paper, the abstract with the carrying
// sentence, and how far that carries what is said. A click opens the abstract beside the answer; on a
// phone it brings a sheet. The links work without this file.
(() => {
  const cardOf = (mark) => document.getElementById(mark.getAttribute("href").slice(1));
  const markAt = (event) => event.target.closest?.("a.cw-cite");
  const narrow = () => matchMedia("(max-width: 860px)").matches;
  const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
  let pop = null;
  let leaving = 0;

  const hide = () => {
    pop?.remove();
    pop = null;
    document.querySelectorAll(".cw-hover").forEach((card) => card.classList.remove("cw-hover"));
  };

  const bar = (mark) => {
    const percent = /cw-s(\d+)/.exec(mark.className)?.[1];
    const told = document.createElement("div");
    told.className = "cw-support";
    if (percent === undefined) return told;
    const [rail, filled] = [document.createElement("span"), document.createElement("span")];
    rail.className = "cw-bar";
    filled.style.width = `${percent}%`;
    rail.append(filled);
    told.append(rail, `support ${(percent / 100).toFixed(2)}`);
    return told;
  };

  // Of a paper cited for several sentences: those that stand before this mark, where they are quoted there.
  const own = (mark) => {
    const all = [...pop.querySelectorAll("mark")];
    const here = all.filter((one) => mark.parentElement.textContent.includes(one.textContent.trim()));
    if (here.length) all.forEach((one) => one.classList.toggle("cw-other", !here.includes(one)));
    return here.length ? here : all;
  };

  const place = (mark) => {
    const at = mark.getBoundingClientRect();
    const width = Math.min(430, innerWidth - 24);
    pop.style.width = `${width}px`;
    pop.style.left = `${Math.min(Math.max(12, at.left - 40), innerWidth - width - 12)}px`;
    const below = innerHeight - at.bottom - 20;
    const under = below > 260 || below > at.top;
    pop.style.maxHeight = `${Math.min(380, (under ? below : at.top - 20))}px`;
    if (under) pop.style.top = `${at.bottom + 6}px`;
    else pop.style.bottom = `${innerHeight - at.top + 6}px`;
  };

  const show = (mark, sheet) => {
    const card = cardOf(mark);
    if (!card) return;
    hide();
    card.classList.add("cw-hover");
    pop = document.createElement("div");
    pop.className = sheet ? "cw-pop cw-sheet cw-html" : "cw-pop cw-html";
    pop.setAttribute("role", sheet ? "dialog" : "tooltip");
    pop.id = "cw-pop";
    const inner = document.createElement("div");
    inner.className = "prose";
    const body = card.querySelector(".cw-abstract > div") ?? card.querySelector(".cw-quotes");
    const text = document.createElement("div");
    text.className = "cw-pop-text";
    text.append(...body.cloneNode(true).childNodes);
    inner.append(card.querySelector(".cw-head").cloneNode(true), bar(mark), text);
    if (sheet) {
      const close = document.createElement("button");
      close.type = "button";
      close.className = "cw-close";
      close.textContent = "Close";
      close.addEventListener("click", hide);
      inner.prepend(close);
    }
    pop.append(inner);
    document.body.append(pop);
    mark.setAttribute("aria-describedby", "cw-pop");
    if (!sheet) place(mark);
    const carrying = own(mark)[0];
    if (carrying) text.scrollTop = Math.max(0, carrying.offsetTop - text.clientHeight / 3);
  };

  document.addEventListener("mouseover", (event) => {
    const mark = markAt(event);
    if (mark || event.target.closest?.(".cw-pop")) clearTimeout(leaving);
    if (mark && !narrow()) show(mark, false);
  });
  document.addEventListener("mouseout", (event) => {
    if (!markAt(event) && !event.target.closest?.(".cw-pop")) return;
    if (pop?.classList.contains("cw-sheet")) return;
    clearTimeout(leaving);
    leaving = setTimeout(hide, 180);
  });
  document.addEventListener("focusin", (event) => {
    const mark = markAt(event);
    if (mark?.matches(":focus-visible") && !narrow()) show(mark, false);
  });
  document.addEventListener("focusout", (event) => markAt(event) && !narrow() && hide());
  document.addEventListener("keydown", (event) => event.key === "Escape" && hide());
  addEventListener("scroll", () => pop && !pop.classList.contains("cw-sheet") && hide(), { passive: true });

  document.addEventListener("click", (event) => {
    const mark = markAt(event);
    const card = mark && cardOf(mark);
    if (!card) {
      if (pop && !event.target.closest?.(".cw-pop")) hide();
      return;
    }
    event.preventDefault();
    if (narrow()) return show(mark, true);
    hide();
    card.querySelector("details.cw-abstract")?.setAttribute("open", "");
    document.querySelectorAll(".cw-lit").forEach((lit) => lit.classList.remove("cw-lit"));
    card.classList.add("cw-lit");
    const target = card.querySelector(".cw-abstract mark") ?? card;
    target.scrollIntoView({ block: "center", behavior: calm() ? "auto" : "smooth" });
  });
})();
