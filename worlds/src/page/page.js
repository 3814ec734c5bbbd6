"use strict";
// Draws the run that stands as JSON in the page: what is visible and nothing else, on a canvas.
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const root = document.documentElement;
  const host = document.getElementById("run-view");
  const wanted = new URLSearchParams(location.hash.slice(1));
  if (wanted.has("theme")) root.dataset.theme = wanted.get("theme");
  root.classList.add("scripted");
  host.hidden = false;

  // ---- the data ------------------------------------------------------------------------------------
  const nodes = run.nodes;
  const laneCount = nodes.length + run.clients;
  const sums = (steps) => { let at = 0; return Float64Array.from(steps, (step) => (at += step)); };
  const events = { at: sums(run.events.times), lane: run.events.lanes, text: run.events.texts };
  const FIELDS = 8;
  const numbers = run.messages.numbers;
  const messageCount = numbers.length / FIELDS;
  const column = (field) => Float64Array.from({ length: messageCount }, (_, i) => numbers[i * FIELDS + field]);
  const messages = { left: sums(column(0)), way: column(1), from: column(2), to: column(3), kind: column(4),
    fate: column(5), said: column(6), arrived: column(7) };
  const ARRIVES = 0, LOST = 1, CUT = 2, NOBODY = 3, UNDER_WAY = 4;
  const ways = messages.way.filter((way) => way >= 0).sort();
  const usualWay = Math.max(50, ways.length ? ways[ways.length >> 1] : 1000);
  const longestWay = Math.max(usualWay, ways.length ? ways[ways.length - 1] : 0);
  const faults = run.faults.map(([begin, end, kind, of, text, number]) =>
    ({ begin, end: end < 0 ? run.end + 1 : end, kind, nodes: of, text, number, row: 0 }));
  const operations = run.operations.map(([client, begin, end, outcome, text, told, asked]) =>
    ({ client, begin, end: end < 0 ? run.end : end, outcome, text, told, asked }));
  const OUTCOMES = ["done", "refused", "unknown", "open"];
  const roleChanges = [...new Set(run.parts.flat().map((part) => part[0]))].sort((a, b) => a - b);
  const kinds = run.messages.kinds;
  const shown = kinds.map(() => true);
  const groupOf = (kind) =>
    /Vote|TimeoutNow/.test(kind) ? "votes" : /^Append|^Commit|Lost/.test(kind) ? "entries"
      : /Heartbeat/.test(kind) ? "heartbeats" : /Snapshot/.test(kind) ? "snapshots" : "requests";
  const groups = kinds.map(groupOf);
  const sortOf = (kind) =>
    /^(isolation|split|bridge|ring|one-way|harassed|murk|fog|deaf|ghost)/.test(kind) ? "links"
      : /pause|crash|power|clock|ambush|amnesia|haunt|memory/.test(kind) ? "processes"
        : /disk|write|flush|flip|\brot\b/.test(kind) ? "disks" : "deeds";

  /** The first place in `sorted` whose value is not below `value`. */
  function lowerBound(sorted, value) {
    let low = 0, high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (sorted[middle] < value) low = middle + 1; else high = middle;
    }
    return low;
  }

  /** What a node is at a moment: [since, state, term, leader]. */
  function partAt(node, at) {
    const parts = run.parts[node];
    let found = [0, 0, 0, 0];
    for (const part of parts) {
      if (part[0] > at) break;
      found = part;
    }
    return found;
  }

  const FAULT_ROWS = 6;
  (function stackFaults() {
    const busyUntil = [];
    for (const fault of faults) {
      let row = busyUntil.findIndex((until) => until <= fault.begin);
      if (row < 0) row = Math.min(busyUntil.length, FAULT_ROWS - 1);
      busyUntil[row] = Math.max(busyUntil[row] || 0, fault.end + 1);
      fault.row = row;
    }
  })();
  const faultRows = 1 + faults.reduce((most, fault) => Math.max(most, fault.row), 0);

  const sayFault = (fault) => [fault.kind, ...fault.nodes.map((node) => nodes[node])].join(" ");
  const milliseconds = (at) => (at / 1000).toFixed(3);
  const count = (number) => number.toLocaleString("en");

  function messageText(index) {
    const arrived = messages.arrived[index];
    if (arrived >= 0) return events.text[arrived].split("\n", 1)[0].replace(/^\S+ ← \S+ /, "");
    if (run.messages.texts[index]) return run.messages.texts[index];
    const start = `→ ${nodes[messages.to[index]]} ${kinds[messages.kind[index]]}`;
    const said = messages.said[index] >= 0 ? events.text[messages.said[index]].split("\n") : [];
    return (said.find((line) => line.startsWith(start)) || start).replace(/^→ \S+ /, "");
  }

  // ---- the frame -----------------------------------------------------------------------------------
  function element(tag, attributes = {}, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
      if (name.startsWith("on")) made.addEventListener(name.slice(2), value);
      else if (value === true) made.setAttribute(name, "");
      else if (value !== false) made.setAttribute(name, value);
    }
    made.append(...children);
    return made;
  }
  const button = (label, name, onclick, more = {}) =>
    element("button", { type: "button", "aria-label": name, title: name, onclick, ...more }, label);
  const tools = (label, ...children) => element("span", {}, element("i", {}, label), ...children);

  const overview = element("canvas", { class: "overview", role: "img", "aria-label": "Overview of the whole run" });
  const lanes = element("canvas", { class: "lanes", role: "img", tabindex: 0,
    "aria-label": "Lanes of nodes and clients over time; the arrow keys step through the events listed beside it" });
  const tip = element("div", { class: "tip", hidden: true });
  const heading = element("h2", { "aria-live": "polite" });
  const states = element("table");
  const underWay = element("p", { class: "under-way" });
  const list = element("ol", { class: "events", "aria-label": "Events" });
  const failure = run.found
    ? button("Failure", "Go to the failing moment (F)", () => goToFailure(), { class: "bad" }) : "";
  const toolbar = element("div", { class: "toolbar", role: "toolbar", "aria-label": "Move through the run" },
    tools("event ", button("◀", "Previous event (left arrow)", () => step(-1)),
      button("▶", "Next event (right arrow)", () => step(1))),
    tools("fault ", button("◀", "Previous fault (Shift+N)", () => goToFault(-1)),
      button("▶", "Next fault (N)", () => goToFault(1))),
    tools("role ", button("◀", "Previous change of a role (Shift+R)", () => goToRole(-1)),
      button("▶", "Next change of a role (R)", () => goToRole(1))),
    tools("zoom ", button("−", "Zoom out (minus)", () => zoom(2)), button("+", "Zoom in (plus)", () => zoom(0.5)),
      button("All", "Show the whole run (0)", () => show(0, run.end))),
    failure,
    button("◐", "Change between light and dark", changeTheme));
  const swatch = (variable, label, shape = "") =>
    element("li", {}, element("i", { class: shape, style: `background: var(--${variable})` }), label);
  const legend = element("ul", { class: "legend", "aria-label": "Legend" },
    swatch("leader", "leader"), swatch("candidate", "candidate"), swatch("pre-candidate", "pre-candidate"),
    swatch("follower", "follower"), swatch("soft", "starting or paused", "hatched"),
    element("li", {}, element("i", { style: "border-color: var(--soft); border-style: dashed" }), "down"),
    swatch("done", "done"), swatch("refused", "refused"), swatch("unknown", "outcome unknown"),
    swatch("votes", "votes", "thin"), swatch("entries", "entries", "thin"),
    swatch("heartbeats", "heartbeats", "thin"), swatch("requests", "requests and reads", "thin"),
    swatch("snapshots", "snapshots", "thin"), swatch("links", "faults of links"), swatch("disks", "of disks"),
    swatch("processes", "of processes"), swatch("deeds", "changes and other deeds"),
    element("li", {}, "✕ lost"), element("li", {}, "⊣ cut"), element("li", {}, "○ nobody there"));
  const totals = kinds.map(() => 0);
  for (const kind of messages.kind) totals[kind] += 1;
  const boxes = kinds.map((kind, index) => element("input", { type: "checkbox", checked: true,
    onchange: (event) => { shown[index] = event.target.checked; draw(); } }));
  const setKinds = (value) => { boxes.forEach((box, i) => { box.checked = shown[i] = value; }); draw(); };
  const filter = element("fieldset", { class: "kinds" }, element("legend", {}, "Messages"),
    ...kinds.map((kind, i) => element("label", { style: `color: var(--${groups[i]})` }, boxes[i],
      `${kind} ${count(totals[i])}`)),
    button("all", "Show messages of all kinds", () => setKinds(true)),
    button("none", "Show no messages", () => setKinds(false)));
  const keys = element("p", { class: "keys" });
  keys.innerHTML = "<kbd>←</kbd> <kbd>→</kbd> step, with <kbd>Shift</kbd> move · <kbd>+</kbd> <kbd>−</kbd> or wheel "
    + "zoom · <kbd>0</kbd> all · <kbd>F</kbd> failure · <kbd>N</kbd> next fault · <kbd>R</kbd> next role change, "
    + "with <kbd>Shift</kbd> the one before";
  host.append(
    element("div", {}, toolbar, element("div", { class: "stage" }, overview, lanes, tip), legend,
      kinds.length > 0 ? filter : "", keys),
    element("aside", { "aria-label": "The event at hand" }, heading, states, underWay, list));

  // ---- colours -------------------------------------------------------------------------------------
  const NAMES = ["ground", "panel", "lane", "line", "text", "soft", "good", "bad", "bad-ground", "accent", "chosen",
    "follower", "pre-candidate", "candidate", "leader", "on-part", "done", "refused", "unknown", "open", "votes",
    "entries", "heartbeats", "requests", "snapshots", "links", "disks", "processes", "deeds"];
  let colour = {};
  let hatches = new Map();
  function readColours() {
    const probe = element("span");
    host.append(probe);
    colour = Object.fromEntries(NAMES.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, getComputedStyle(probe).color];
    }));
    probe.remove();
    hatches = new Map();
  }

  function hatch(context, name) {
    if (!hatches.has(name)) {
      const tile = element("canvas", { width: 6, height: 6 });
      const pen = tile.getContext("2d");
      pen.strokeStyle = colour[name];
      pen.beginPath();
      for (const shift of [-6, 0, 6]) { pen.moveTo(shift, 6); pen.lineTo(shift + 6, 0); }
      pen.stroke();
      hatches.set(name, context.createPattern(tile, "repeat"));
    }
    return hatches.get(name);
  }

  function changeTheme() {
    const isDark = root.dataset.theme
      ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = isDark ? "light" : "dark";
    readColours();
    draw();
    tell();
  }

  // ---- geometry ------------------------------------------------------------------------------------
  const RULER = 20, FOUND_HEIGHT = 18, FAULT_HEIGHT = 15, PART_HEIGHT = 16, CLIENT_HEIGHT = 17;
  const NODE_HEIGHT = nodes.length > 5 ? 46 : 56;
  const top = RULER + FOUND_HEIGHT + faultRows * FAULT_HEIGHT + 6;
  const height = top + nodes.length * NODE_HEIGHT + 6 + run.clients * CLIENT_HEIGHT + 6;
  const overviewHeight = 12 + nodes.length * 6;
  let width = 800, gutter = 96;
  let view = { from: 0, to: run.end };
  let chosen = -1;
  let segments = [], spots = [];
  const laneTop = (lane) => lane < nodes.length ? top + lane * NODE_HEIGHT
    : top + nodes.length * NODE_HEIGHT + 6 + (lane - nodes.length) * CLIENT_HEIGHT;
  const laneMiddle = (lane) => laneTop(lane) + (lane < nodes.length ? NODE_HEIGHT : CLIENT_HEIGHT) / 2;
  const x = (at) => gutter + (at - view.from) * (width - gutter) / (view.to - view.from);
  const timeAt = (px) => view.from + (px - gutter) * (view.to - view.from) / (width - gutter);

  function fit(canvas, tall) {
    const scale = devicePixelRatio || 1;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(tall * scale);
    canvas.style.height = `${tall}px`;
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.font = "11px system-ui, sans-serif";
    context.textBaseline = "middle";
    return context;
  }

  /** Text that fits into `room` pixels, or nothing. */
  function fitted(context, text, room) {
    if (room < 26) return "";
    if (context.measureText(text).width <= room) return text;
    let kept = Math.floor(text.length * room / context.measureText(text).width);
    while (kept > 2 && context.measureText(`${text.slice(0, kept)}…`).width > room) kept -= 1;
    return kept > 2 ? `${text.slice(0, kept)}…` : "";
  }

  // ---- drawing -------------------------------------------------------------------------------------
  let isPlanned = false;
  function draw() {
    if (isPlanned) return;
    isPlanned = true;
    requestAnimationFrame(() => { isPlanned = false; drawNow(); });
  }

  function drawNow() {
    width = Math.max(300, lanes.parentElement.clientWidth);
    gutter = width < 560 ? 56 : 96;
    const context = fit(lanes, height);
    segments = [];
    spots = [];
    drawGround(context);
    drawFaultBands(context);
    drawGrid(context);
    context.save();
    context.beginPath();
    context.rect(gutter, 0, width - gutter, height);
    context.clip();
    drawParts(context);
    drawOperations(context);
    drawMessages(context);
    drawFaultStrip(context);
    drawMoments(context);
    context.restore();
    drawRuler(context);
    drawNames(context);
    drawOverview();
  }

  function drawGround(context) {
    context.fillStyle = colour.ground;
    context.fillRect(0, 0, width, height);
    for (let lane = 0; lane < laneCount; lane += 1) {
      if (lane % 2 === 0) {
        context.fillStyle = colour.lane;
        context.fillRect(gutter, laneTop(lane), width, lane < nodes.length ? NODE_HEIGHT : CLIENT_HEIGHT);
      }
    }
    // Where messages are not kept.
    context.globalAlpha = 0.35;
    context.fillStyle = hatch(context, "line");
    for (const [from, to] of [[0, run.since], [run.until, run.end]]) {
      const left = Math.max(gutter, x(from)), right = Math.min(width, x(to));
      if (to > from && right > left) context.fillRect(left, top, right - left, nodes.length * NODE_HEIGHT);
    }
    context.globalAlpha = 1;
  }

  /** Tints the lanes of the nodes that a fault concerns. */
  function drawFaultBands(context) {
    for (const fault of faults) {
      if (fault.end < view.from || fault.begin > view.to || fault.end === fault.begin) continue;
      const left = Math.max(gutter, x(fault.begin)), right = Math.min(width, x(fault.end));
      if (right - left < 0.5) continue;
      for (const node of fault.nodes) {
        context.globalAlpha = 0.09;
        context.fillStyle = colour[sortOf(fault.kind)];
        context.fillRect(left, laneTop(node) + 1, right - left, NODE_HEIGHT - 2);
      }
    }
    context.globalAlpha = 1;
  }

  function drawParts(context) {
    nodes.forEach((_, node) => {
      const parts = run.parts[node];
      const y = laneMiddle(node) - PART_HEIGHT / 2;
      if (parts.length === 0 || parts[0][0] > view.from) {
        drawPart(context, [0, 0, 0, 0], 0, parts.length ? parts[0][0] : run.end, y);
      }
      parts.forEach((part, place) => {
        const end = place + 1 < parts.length ? parts[place + 1][0] : run.end;
        if (end >= view.from && part[0] <= view.to) drawPart(context, part, part[0], end, y);
      });
    });
    for (const fault of faults) {
      if (fault.kind !== "pause" || fault.end < view.from || fault.begin > view.to) continue;
      context.fillStyle = hatch(context, "text");
      const left = x(fault.begin);
      context.fillRect(left, laneMiddle(fault.nodes[0]) - PART_HEIGHT / 2, x(fault.end) - left, PART_HEIGHT);
    }
  }

  function drawPart(context, [, state, term, leader], begin, end, y) {
    const left = Math.max(gutter - 2, x(begin)), right = Math.min(width + 2, x(end));
    const name = run.states[state];
    const wide = Math.max(1, right - left);
    if (state === 0) {
      context.strokeStyle = colour.soft;
      context.globalAlpha = 0.6;
      context.setLineDash([3, 3]);
      context.strokeRect(left + 0.5, y + 0.5, Math.max(1, wide - 1), PART_HEIGHT - 1);
      context.setLineDash([]);
      context.globalAlpha = 1;
    } else {
      context.fillStyle = state === 1 ? hatch(context, "soft") : colour[name];
      context.fillRect(left, y, wide, PART_HEIGHT);
      if (wide > 3 && state > 1) {
        context.fillStyle = colour.ground;
        context.globalAlpha = 0.5;
        context.fillRect(left, y, 1, PART_HEIGHT);
        context.globalAlpha = 1;
      }
    }
    const of = state === 2 && leader ? ` of ${leader}` : "";
    const words = state < 2 ? name : `${name}${of}, term ${term}`;
    const label = fitted(context, words, wide - 8);
    context.fillStyle = state < 2 ? colour.soft : colour["on-part"];
    if (state === 1 && label) {
      context.fillStyle = colour.ground;
      context.fillRect(left + 2, y + 1, context.measureText(label).width + 4, PART_HEIGHT - 2);
      context.fillStyle = colour.soft;
    }
    context.fillText(label, left + 4, y + PART_HEIGHT / 2 + 0.5);
    spots.push({ left, right: left + wide, top: y, bottom: y + PART_HEIGHT, text: () => `${words}\nsince `
      + `${milliseconds(begin)} ms` });
  }

  function drawOperations(context) {
    // Of many within one pixel, one is drawn for each outcome.
    const drawn = new Map();
    for (const operation of operations) {
      if (operation.end < view.from || operation.begin > view.to) continue;
      if (x(operation.end) - x(operation.begin) < 1) {
        const place = operation.client * OUTCOMES.length + operation.outcome;
        const pixel = Math.round(x(operation.begin));
        if (drawn.get(place) === pixel) continue;
        drawn.set(place, pixel);
      }
      const lane = nodes.length + operation.client;
      const y = laneTop(lane) + 2, tall = CLIENT_HEIGHT - 4;
      const left = Math.max(gutter - 2, x(operation.begin)), right = Math.min(width + 2, x(operation.end));
      const wide = Math.max(1.5, right - left - 0.5);
      const outcome = OUTCOMES[operation.outcome];
      context.fillStyle = colour[outcome];
      if (operation.outcome === 3) {
        context.strokeStyle = colour.open;
        context.strokeRect(left + 0.5, y + 0.5, wide, tall - 1);
      } else {
        context.fillRect(left, y, wide, tall);
      }
      if (isBlamed(operation)) {
        context.strokeStyle = colour.bad;
        context.lineWidth = 2;
        context.strokeRect(left + 1, y, wide - 2, tall);
        context.lineWidth = 1;
      }
      context.fillStyle = operation.outcome === 3 ? colour.text : colour["on-part"];
      context.fillText(fitted(context, operation.text, wide - 6), left + 3, y + tall / 2 + 0.5);
      spots.push({ left, right: left + wide, top: y, bottom: y + tall, text: () => sayOperation(operation) });
    }
  }

  /** True for an answer that the finding is about. */
  const isBlamed = (operation) => run.found && operation.outcome === 0 && operation.end === run.found.at
    && run.found.text.split("\n", 1)[0].split(/\s/).includes(operation.text.split(" ", 1)[0]);

  function sayOperation(operation) {
    const outcome = OUTCOMES[operation.outcome];
    const asked = operation.asked.map(([at, node]) => `${milliseconds(at)} asks ${node || "nobody"}`).join("\n");
    const told = operation.told ? `: ${operation.told}` : "";
    return `client ${operation.client}: ${operation.text}\n${asked}\n${milliseconds(operation.end)} `
      + `${outcome === "open" ? "still open at the end" : outcome}${told}`;
  }

  function visibleMessages() {
    const visible = [];
    const last = lowerBound(messages.left, view.to);
    for (let i = lowerBound(messages.left, view.from - longestWay); i < last; i += 1) {
      const end = messages.left[i] + (messages.way[i] < 0 ? usualWay : messages.way[i]);
      if (end >= view.from && shown[messages.kind[i]]) visible.push(i);
    }
    return visible;
  }

  function drawMessages(context) {
    const visible = visibleMessages();
    if (visible.length > width - gutter) {
      const words = `${count(visible.length)} messages: zoom in to see them`;
      context.fillStyle = colour.soft;
      context.textAlign = "right";
      context.fillText(words, width - 6, top + 8);
      context.textAlign = "left";
      return;
    }
    const isCrowded = visible.length > 400;
    for (const index of visible) drawMessage(context, index, isCrowded ? 0.45 : 0.85, 1);
    for (const index of visible) if (isOfChosen(index)) drawMessage(context, index, 1, 2.5);
    if (visible.length <= 40) segments.slice(-visible.length).forEach((segment) => drawKind(context, segment));
  }

  /** The word for its kind, on a message that has room around it. */
  function drawKind(context, segment) {
    const { index, startX, startY, endX, endY } = segment;
    const kind = kinds[messages.kind[index]];
    const wide = context.measureText(kind).width + 4;
    const middleX = (startX + endX) / 2 - wide / 2, middleY = (startY + endY) / 2;
    context.globalAlpha = 0.8;
    context.fillStyle = colour.ground;
    context.fillRect(middleX, middleY - 6, wide, 12);
    context.globalAlpha = 1;
    context.fillStyle = colour[groups[messages.kind[index]]];
    context.fillText(kind, middleX + 2, middleY + 0.5);
  }

  const isOfChosen = (index) =>
    chosen >= 0 && (messages.said[index] === chosen || messages.arrived[index] === chosen);

  function drawMessage(context, index, alpha, wide) {
    const fate = messages.fate[index];
    const down = messages.to[index] > messages.from[index] ? 1 : -1;
    const startX = x(messages.left[index]), startY = laneMiddle(messages.from[index]) + down * PART_HEIGHT / 2;
    const way = messages.way[index] < 0 ? usualWay : messages.way[index];
    let endX = x(messages.left[index] + way), endY = laneMiddle(messages.to[index]) - down * PART_HEIGHT / 2;
    if (fate === LOST || fate === CUT) {
      const part = fate === LOST ? 0.55 : 0.3;
      endX = startX + Math.min(60, endX - startX) * part;
      endY = startY + (endY - startY) * part;
    }
    context.globalAlpha = alpha;
    context.strokeStyle = context.fillStyle = colour[groups[messages.kind[index]]];
    context.lineWidth = wide;
    if (fate === UNDER_WAY) context.setLineDash([4, 3]);
    context.beginPath();
    context.moveTo(startX, startY);
    context.lineTo(endX, endY);
    context.stroke();
    context.setLineDash([]);
    drawEnd(context, fate, startX, startY, endX, endY);
    context.lineWidth = 1;
    context.globalAlpha = 1;
    if (wide === 1) segments.push({ index, startX, startY, endX, endY });
  }

  function drawEnd(context, fate, startX, startY, endX, endY) {
    const angle = Math.atan2(endY - startY, endX - startX);
    context.save();
    context.translate(endX, endY);
    context.beginPath();
    if (fate === LOST) {
      context.strokeStyle = colour.bad;
      context.lineWidth = 1.5;
      context.moveTo(-3, -3); context.lineTo(3, 3); context.moveTo(-3, 3); context.lineTo(3, -3);
      context.stroke();
    } else if (fate === CUT) {
      context.rotate(angle);
      context.strokeStyle = colour.links;
      context.lineWidth = 2;
      context.moveTo(0, -4); context.lineTo(0, 4);
      context.stroke();
    } else if (fate === NOBODY) {
      context.arc(0, 0, 3, 0, 7);
      context.stroke();
    } else if (fate === ARRIVES) {
      context.rotate(angle);
      context.moveTo(0, 0); context.lineTo(-6, -2.6); context.lineTo(-6, 2.6);
      context.fill();
    }
    context.restore();
  }

  function drawFaultStrip(context) {
    for (const fault of faults) {
      if (fault.end < view.from || fault.begin > view.to) continue;
      const y = RULER + FOUND_HEIGHT + fault.row * FAULT_HEIGHT + 1, tall = FAULT_HEIGHT - 2;
      const left = Math.max(gutter - 2, x(fault.begin)), wide = Math.max(2, Math.min(width + 2, x(fault.end)) - left);
      context.fillStyle = colour[sortOf(fault.kind)];
      context.globalAlpha = 0.28;
      context.fillRect(left, y, wide, tall);
      context.globalAlpha = 1;
      context.fillRect(left, y, 2, tall);
      const words = sayFault(fault);
      context.fillStyle = colour.text;
      context.fillText(fitted(context, words, wide - 8), left + 5, y + tall / 2 + 0.5);
      spots.push({ left: left - 2, right: left + wide + 2, top: y, bottom: y + tall, fault, text: () => `fault `
        + `${fault.number}: ${words}${fault.text ? `\n${fault.text}` : ""}\n${milliseconds(fault.begin)} `
        + (fault.end > run.end ? "to the end" : `to ${milliseconds(fault.end)} ms`) });
    }
  }

  /** The moments of which there is one: healed, failed, chosen. */
  function drawMoments(context) {
    const line = (at, name, wide, dash) => {
      context.strokeStyle = colour[name];
      context.lineWidth = wide;
      context.setLineDash(dash);
      context.beginPath();
      context.moveTo(x(at), RULER);
      context.lineTo(x(at), height);
      context.stroke();
      context.setLineDash([]);
      context.lineWidth = 1;
    };
    if (run.healed !== null) {
      line(run.healed, "good", 1, [4, 3]);
      context.fillStyle = colour.good;
      context.fillText("healed", x(run.healed) + 4, RULER + FOUND_HEIGHT / 2);
    }
    if (chosen >= 0) line(events.at[chosen], "candidate", 1, []);
    if (run.found) {
      line(run.found.at, "bad", 2, []);
      const at = x(run.found.at);
      const words = run.found.text.split("\n", 1)[0].replace(/:$/, "");
      const label = fitted(context, words, Math.min(width - gutter - 16, 900));
      const wide = context.measureText(label).width + 8;
      const left = Math.max(gutter, Math.min(at - wide / 2, width - wide));
      if (at >= gutter && at <= width + 1) {
        context.fillStyle = colour.bad;
        context.fillRect(left, RULER + 1, wide, FOUND_HEIGHT - 2);
        context.fillStyle = colour.ground;
        context.fillText(label, left + 4, RULER + FOUND_HEIGHT / 2 + 0.5);
      }
    }
  }

  /** The step between the lines of the grid: 1, 2 or 5 times a power of ten. */
  function gridStep() {
    const rough = (view.to - view.from) / Math.max(2, (width - gutter) / 110);
    const power = 10 ** Math.floor(Math.log10(rough));
    return [1, 2, 5, 10].map((n) => n * power).find((size) => size >= rough);
  }

  function drawGrid(context) {
    const tick = gridStep();
    context.strokeStyle = colour.line;
    context.beginPath();
    for (let at = Math.ceil(view.from / tick) * tick; at <= view.to; at += tick) {
      context.moveTo(Math.round(x(at)) + 0.5, RULER - 5);
      context.lineTo(Math.round(x(at)) + 0.5, height);
    }
    context.stroke();
  }

  function drawRuler(context) {
    context.fillStyle = colour.panel;
    context.fillRect(0, 0, width, RULER);
    context.fillStyle = colour.soft;
    const tick = gridStep();
    const inSeconds = tick >= 100000;
    const digits = Math.max(0, -Math.floor(Math.log10(tick / (inSeconds ? 1e6 : 1000)) + 1e-9));
    for (let at = Math.ceil(view.from / tick) * tick; at <= view.to; at += tick) {
      const label = inSeconds ? `${(at / 1e6).toFixed(digits)} s` : `${(at / 1000).toFixed(digits)} ms`;
      if (x(at) + context.measureText(label).width < width) context.fillText(label, x(at) + 3, RULER / 2);
    }
  }

  function drawNames(context) {
    context.fillStyle = colour.panel;
    context.fillRect(0, 0, gutter, height);
    context.fillStyle = colour.line;
    context.fillRect(gutter - 1, 0, 1, height);
    const isNarrow = gutter < 70;
    const at = chosen >= 0 ? events.at[chosen] : view.to;
    context.fillStyle = colour.soft;
    context.fillText("faults", 6, RULER + FOUND_HEIGHT + FAULT_HEIGHT / 2);
    nodes.forEach((node, lane) => {
      const y = laneMiddle(lane);
      context.fillStyle = colour.text;
      context.font = "bold 12px system-ui, sans-serif";
      context.fillText(isNarrow ? `n ${node}` : `node ${node}`, 6, y - 6);
      context.font = "10.5px system-ui, sans-serif";
      const [, state, term] = partAt(lane, at);
      context.fillStyle = colour.soft;
      const name = run.states[state];
      context.fillText(fitted(context, state > 1 ? `${name} ${term}` : name, gutter - 10), 6, y + 8);
    });
    context.font = "11px system-ui, sans-serif";
    context.fillStyle = colour.soft;
    for (let client = 0; client < run.clients; client += 1) {
      context.fillText(isNarrow ? `c ${client}` : `client ${client}`, 6, laneMiddle(nodes.length + client));
    }
  }

  function drawOverview() {
    const context = fit(overview, overviewHeight);
    const scale = (at) => gutter + at * (width - gutter) / run.end;
    context.fillStyle = colour.ground;
    context.fillRect(0, 0, width, overviewHeight);
    context.fillStyle = colour.soft;
    context.fillText(gutter < 70 ? "run" : "whole run", 6, overviewHeight / 2);
    nodes.forEach((_, node) => run.parts[node].forEach((part, place) => {
      const next = run.parts[node][place + 1];
      if (part[1] === 0) return;
      context.fillStyle = part[1] === 1 ? colour.line : colour[run.states[part[1]]];
      const left = scale(part[0]), right = scale(next ? next[0] : run.end);
      context.fillRect(left, 9 + node * 6, Math.max(0.6, right - left), 5);
    }));
    for (const fault of faults) {
      context.fillStyle = colour[sortOf(fault.kind)];
      context.fillRect(scale(fault.begin), 2, 1.5, 5);
    }
    if (run.found) {
      context.fillStyle = colour.bad;
      context.fillRect(scale(run.found.at) - 1.5, 0, 3, overviewHeight);
    }
    const left = scale(view.from), right = Math.max(left + 3, scale(view.to));
    context.fillStyle = colour.accent;
    context.globalAlpha = 0.16;
    context.fillRect(left, 0, right - left, overviewHeight);
    context.globalAlpha = 1;
    context.strokeStyle = colour.accent;
    context.lineWidth = 1.5;
    context.strokeRect(left + 0.75, 0.75, right - left - 1.5, overviewHeight - 1.5);
    context.lineWidth = 1;
  }

  // ---- moving --------------------------------------------------------------------------------------
  function show(from, to) {
    const most = Math.max(run.end * 1.02, 1000);
    const span = Math.min(most, Math.max(20, to - from));
    const start = Math.max(-span * 0.05, Math.min(from, run.end * 1.01 - span * 0.95));
    view = { from: span >= most ? 0 : start, to: span >= most ? most : start + span };
    draw();
  }

  function zoom(factor, at = chosen >= 0 && x(events.at[chosen]) > gutter && x(events.at[chosen]) < width
    ? events.at[chosen] : (view.from + view.to) / 2) {
    show(at - (at - view.from) * factor, at + (view.to - at) * factor);
  }

  function pan(share) {
    const by = (view.to - view.from) * share;
    show(view.from + by, view.to + by);
  }

  function center(at) {
    const span = view.to - view.from;
    if (at < view.from + span * 0.08 || at > view.to - span * 0.08) show(at - span / 2, at + span / 2);
  }

  function choose(index) {
    if (events.at.length === 0) return;
    chosen = Math.max(0, Math.min(events.at.length - 1, index));
    center(events.at[chosen]);
    draw();
    tell();
  }

  const step = (by) => choose(chosen < 0 ? lowerBound(events.at, view.from) : chosen + by);
  const now = () => chosen >= 0 ? events.at[chosen] : (view.from + view.to) / 2;

  /** Goes to the moment before or after this one among `moments`, which ascend. */
  function goTo(moments, by) {
    const at = now();
    const next = by > 0 ? moments.find((moment) => moment > at) : moments.findLast((moment) => moment < at);
    if (next === undefined) return;
    const event = lowerBound(events.at, next);
    if (next >= run.since && event < events.at.length) choose(event);
    else { chosen = -1; show(next - (view.to - view.from) / 2, next + (view.to - view.from) / 2); tell(next); }
  }
  const goToFault = (by) => goTo(faults.map((fault) => fault.begin), by);
  const goToRole = (by) => goTo(roleChanges, by);

  function goToFailure() {
    if (!run.found) return;
    const before = (moments, many) => moments[Math.max(0, lowerBound(moments, run.found.at) - many)] || 0;
    const span = Math.max(2000, run.found.at - Math.max(before(messages.left, 90), before(events.at, 150)));
    show(run.found.at - span, run.found.at + span * 0.12);
    // The last event that is not the finding itself.
    chosen = lowerBound(events.at, run.found.at + 1) - 1;
    const words = run.found.text.split("\n", 1)[0];
    while (chosen > 0 && events.text[chosen].startsWith(words)) chosen -= 1;
    tell();
  }

  // ---- the panel -----------------------------------------------------------------------------------
  const AROUND = 14;
  function tell(moment = now()) {
    const at = chosen >= 0 ? events.at[chosen] : moment;
    heading.textContent = chosen >= 0
      ? `Event ${count(chosen + 1)} of ${count(events.at.length)}, at ${milliseconds(at)} ms`
      : `At ${milliseconds(at)} ms`;
    const head = element("thead", {}, element("tr", {},
      ...["node", "part", "term", "leader"].map((name) => element("th", { scope: "col" }, name))));
    const rows = nodes.map((node, lane) => {
      const [, state, term, leader] = partAt(lane, at);
      const name = run.states[state];
      const paint = state > 1 ? `background: var(--${name})` : "border: 1px dashed var(--soft)";
      return element("tr", {}, element("th", { scope: "row" }, `${node}`),
        element("td", {}, element("i", { style: paint }), name),
        element("td", {}, state > 1 ? `${term}` : ""), element("td", {}, leader ? `${leader}` : ""));
    });
    states.replaceChildren(head, element("tbody", {}, ...rows));
    const lasting = faults.filter((fault) => fault.begin <= at && fault.end > at);
    underWay.textContent = lasting.length === 0
      ? "No fault is under way." : `Under way: ${lasting.map(sayFault).join(", ")}.`;
    tellEvents(at);
  }

  function tellEvents(at) {
    const middle = chosen >= 0 ? chosen : lowerBound(events.at, at);
    const items = [];
    const last = Math.min(events.at.length, middle + AROUND + 1);
    for (let index = Math.max(0, middle - AROUND); index < last; index += 1) {
      const [first, ...under] = events.text[index].split("\n");
      const isFound = run.found && events.lane[index] < 0 && run.found.text.startsWith(first);
      items.push(element("li", { class: isFound ? "bad" : "" },
        element("button", { type: "button", "aria-current": index === chosen ? "step" : false,
          onclick: () => choose(index) },
        element("b", {}, `${milliseconds(events.at[index])}  `), first,
        ...under.map((line) => element("small", {}, line)))));
    }
    if (chosen < 0 && (at < run.since || at > run.until)) {
      const kept = `Lines are kept from ${milliseconds(run.since)} to ${milliseconds(run.until)} ms.`;
      items.unshift(element("li", { class: "note" }, kept));
    }
    list.replaceChildren(...items);
    const current = list.querySelector("[aria-current]");
    if (current) list.scrollTop = current.offsetTop - list.offsetTop - list.clientHeight / 3;
  }

  // ---- pointer and keys ----------------------------------------------------------------------------
  function distance(segment, px, py) {
    const dx = segment.endX - segment.startX, dy = segment.endY - segment.startY;
    const along = ((px - segment.startX) * dx + (py - segment.startY) * dy) / (dx * dx + dy * dy || 1);
    const part = Math.max(0, Math.min(1, along));
    return Math.hypot(px - segment.startX - part * dx, py - segment.startY - part * dy);
  }

  /** The message or the spot under the pointer. */
  function under(px, py) {
    let best = null, least = 6;
    for (const segment of segments) {
      const far = distance(segment, px, py);
      if (far < least) { least = far; best = segment; }
    }
    if (best) return { message: best.index, text: () => sayMessage(best.index) };
    return spots.findLast((spot) => px >= spot.left && px <= spot.right && py >= spot.top && py <= spot.bottom);
  }

  function sayMessage(index) {
    const ends = ["", " (lost)", " (cut)", " (nobody is there)", " (on its way at the end)"];
    const left = messages.left[index], way = messages.way[index];
    const arrival = way >= 0 ? ` to ${milliseconds(left + way)}` : "";
    return `${nodes[messages.from[index]]} → ${nodes[messages.to[index]]} ${messageText(index)}`
      + `${ends[messages.fate[index]]}\n${milliseconds(left)}${arrival} ms`;
  }

  function showTip(px, py) {
    const found = px > gutter ? under(px, py) : null;
    tip.hidden = !found;
    if (!found) return;
    tip.textContent = found.text();
    const base = lanes.offsetTop;
    tip.style.left = `${Math.max(4, Math.min(px + 12, width - tip.offsetWidth - 8))}px`;
    const below = py + 16 + tip.offsetHeight < height;
    tip.style.top = `${base + (below ? py + 16 : Math.max(0, py - tip.offsetHeight - 8))}px`;
  }

  function click(px, py) {
    const found = under(px, py);
    if (found && found.message !== undefined) {
      const { message } = found;
      const event = messages.arrived[message] >= 0 ? messages.arrived[message] : messages.said[message];
      if (event >= 0) return choose(event);
    }
    const lane = Array.from({ length: laneCount }, (_, l) => l)
      .find((l) => py >= laneTop(l) && py < laneTop(l) + (l < nodes.length ? NODE_HEIGHT : CLIENT_HEIGHT));
    const at = timeAt(px);
    let nearest = -1;
    const reach = (view.to - view.from) * 0.05;
    for (let i = lowerBound(events.at, at - reach); i < events.at.length && events.at[i] <= at + reach; i += 1) {
      if (lane !== undefined && events.lane[i] !== lane) continue;
      if (nearest < 0 || Math.abs(events.at[i] - at) < Math.abs(events.at[nearest] - at)) nearest = i;
    }
    return choose(nearest >= 0 ? nearest : lowerBound(events.at, at));
  }

  const pointers = new Map();
  let moved = 0;
  const spot = (event) => {
    const box = event.currentTarget.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };
  lanes.addEventListener("pointerdown", (event) => {
    lanes.setPointerCapture(event.pointerId);
    pointers.set(event.pointerId, spot(event));
    moved = 0;
  });
  lanes.addEventListener("pointermove", (event) => {
    const to = spot(event);
    const before = pointers.get(event.pointerId);
    if (!before) return showTip(to.x, to.y);
    tip.hidden = true;
    const other = [...pointers].find(([id]) => id !== event.pointerId);
    pointers.set(event.pointerId, to);
    moved += Math.abs(to.x - before.x) + Math.abs(to.y - before.y);
    if (other) {
      const apart = Math.max(20, Math.abs(before.x - other[1].x)), now = Math.max(20, Math.abs(to.x - other[1].x));
      return zoom(apart / now, timeAt(other[1].x));
    }
    return pan((before.x - to.x) / (width - gutter));
  });
  lanes.addEventListener("pointerup", (event) => {
    const at = spot(event);
    if (pointers.delete(event.pointerId) && moved < 5 && at.x > gutter) click(at.x, at.y);
  });
  lanes.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
  lanes.addEventListener("pointerleave", () => { tip.hidden = true; });
  lanes.addEventListener("wheel", (event) => {
    event.preventDefault();
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      return pan((event.deltaX || event.deltaY) / (width - gutter));
    }
    return zoom(Math.exp(Math.max(-80, Math.min(80, event.deltaY)) / 250), timeAt(spot(event).x));
  }, { passive: false });
  const seek = (event) => {
    if (event.buttons === 0) return;
    const at = (spot(event).x - gutter) / (width - gutter) * run.end;
    const span = Math.min(view.to - view.from, run.end * 0.98);
    show(at - span / 2, at + span / 2);
  };
  overview.addEventListener("pointerdown", (event) => { overview.setPointerCapture(event.pointerId); seek(event); });
  overview.addEventListener("pointermove", seek);

  const deeds = {
    ArrowLeft: () => step(-1), ArrowRight: () => step(1), "+": () => zoom(0.5), "=": () => zoom(0.5),
    "-": () => zoom(2), 0: () => show(0, run.end), f: goToFailure, F: goToFailure,
    n: () => goToFault(1), N: () => goToFault(-1), r: () => goToRole(1), R: () => goToRole(-1),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input")) return;
    const isPan = event.shiftKey && event.key.startsWith("Arrow");
    const deed = isPan ? () => pan(event.key === "ArrowLeft" ? -0.25 : 0.25) : deeds[event.key];
    if (!deed || (isPan && !/Left|Right/.test(event.key))) return;
    event.preventDefault();
    deed();
  });

  // ---- the beginning -------------------------------------------------------------------------------
  readColours();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { readColours(); draw(); });
  new ResizeObserver(draw).observe(lanes.parentElement);
  const [first, last] = (wanted.get("view") || "").split("-").map((number) => Number(number) * 1000);
  show(0, run.end);
  if (last > first) show(first, last);
  else if (run.found && wanted.get("view") !== "whole") goToFailure();
  if (wanted.has("event")) choose(Number(wanted.get("event")) - 1);
  tell();
})();
