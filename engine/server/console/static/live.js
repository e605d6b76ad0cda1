// The calls that go on now: engine/server/console/pages/live.py sends what has changed, this draws it.

const OVER_MS = 5000; // a call that has ended stays so long
const AGAIN_MS = 2000; // after which the line is tried again
const find = (id) => document.getElementById(id);
const words = JSON.parse(find("words").textContent);
const cards = new Map(); // by call: { node: <article>, began: ms }

function connect() {
  const line = new WebSocket(`${location.origin.replace(/^http/, "ws")}/live/ws`);
  line.onmessage = ({ data }) => take(JSON.parse(data));
  line.onclose = () => {
    tell(words.lost);
    setTimeout(connect, AGAIN_MS);
  };
}

function take({ live, changed, bearing, so_far = {} }) {
  tell(words.now.replace("{number}", bearing.live));
  bear(bearing);
  for (const call of changed) draw(call);
  for (const [id, those] of Object.entries(so_far)) if (cards.has(id)) verdicts(part(cards.get(id), ".so-far"), those);
  const going = new Set(live);
  for (const [id, card] of cards) if (!going.has(id)) end(id, card);
  find("nobody").hidden = bearing.live > 0 || cards.size > 0;
}

function tell(text) {
  if (find("status").textContent !== text) find("status").textContent = text;
}

function bear(bearing) {
  for (const name of ["live", "most", "ended", "refused"]) find(name).textContent = bearing[name];
  for (const name of ["reply_p50", "reply_p95", "lag_p99"]) {
    find(name).textContent = bearing[name] === null ? "–" : Math.round(1000 * bearing[name]);
  }
  find("load").textContent = Math.round(100 * bearing.load);
}

function draw(call) {
  const card = cards.get(call.id) ?? begin(call.id);
  card.began = performance.now() - 1000 * call.lasted;
  part(card, ".node").textContent = (call.node ?? "–").replaceAll("_", " ");
  part(card, ".from").textContent = [words[call.direction], call.door, call.flow].filter(Boolean).join(" · ");
  part(card, ".happened").replaceChildren(...call.happened.map(line));
  clock(card);
}

function verdicts(list, soFar) {
  list.hidden = !soFar.length;
  list.replaceChildren(...soFar.map(standing));
}

function standing({ question, standing: how }) {
  const item = document.createElement("li");
  item.className = how.replaceAll(" ", "-");
  const word = document.createElement("strong");
  word.textContent = words[`standing.${how}`];
  item.append(word, " ", question);
  return item;
}

function begin(id) {
  const node = find("card").content.firstElementChild.cloneNode(true);
  find("calls").append(node);
  const card = { node, began: 0 };
  cards.set(id, card);
  return card;
}

function end(id, card) {
  cards.delete(id);
  card.node.classList.add("over");
  part(card, ".lasted").textContent += ` · ${words.over}`;
  setTimeout(() => card.node.remove(), OVER_MS);
}

function line({ what, text, sure, rung }) {
  const item = document.createElement("li");
  item.className = what;
  item.textContent = told(what, text, rung);
  if (what === "caller" || sure !== null) item.append(" ", certainty(sure));
  return item;
}

function told(what, text, rung) {
  if (what === "decided") return [words[`rung.${rung}`], text.replaceAll("_", " ")].filter(Boolean).join(" → ");
  if (what === "caller" || what === "engine") return `${words[what]}: ${text}`;
  return words[what].replace("{number}", text);
}

function certainty(sure) {
  const small = document.createElement("small");
  small.textContent = sure === null ? words.unsure : words.sure.replace("{share}", Math.round(100 * sure));
  return small;
}

function clock(card) {
  const seconds = Math.max(0, Math.floor((performance.now() - card.began) / 1000));
  part(card, ".lasted").textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

function part(card, selector) {
  return card.node.querySelector(selector);
}

setInterval(() => cards.forEach(clock), 1000);
connect();
