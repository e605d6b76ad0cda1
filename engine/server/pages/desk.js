// A silent agent's desk: one phrase at a time, heard and answered by keyboard. See engine/server/desk_messages.py for what is said
// to the engine. A phrase's sound lives in one buffer, is played from there, and is forgotten with its task.

const SPEEDS = [0.8, 1, 1.25];
const RATE_HZ = 8000;
const SETTLE_MS = 300; // keys meant for the task before do not answer this one
const SOON = 2; // seconds left when the ring turns red
const KINDS = {
  digits: { fits: /^\d+$/ },
  amount: { fits: /^\d+(\.\d\d)?( [A-Z]{3})?$/, normal: cents },
  date: { fits: /^\d{4}-\d\d-\d\d$/ },
  phone: { fits: /^\+\d{7,15}$/ },
  card_type: { fits: /^(debit|credit|virtual|prepaid|savings)$/ },
  yes_no: { fits: /^(yes|no)$/ },
};
const TITLE = document.title;
const find = (id) => document.getElementById(id);
const said = JSON.parse(find("said").textContent); // in the agent's language

let agent = null; // who sits here: { languages }
let socket = null;
let task = null; // what lies here: { ...offer, until, shownAt, answered }
let sound = null; // the audio output, opened by beginning: browsers want a gesture
let phrase = null; // the present task's sound
let playing = null;
let speed = 1;

// ---- the line to the engine

function connect() {
  const line = (socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/desk/ws`));
  line.binaryType = "arraybuffer";
  let opened = false;
  line.onopen = () => {
    opened = true;
    send({ event: "sign_in", languages: agent.languages });
  };
  line.onmessage = ({ data }) => line === socket && (data instanceof ArrayBuffer ? hear(data) : take(JSON.parse(data)));
  line.onclose = ({ reason }) => line === socket && lost(opened, reason);
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

async function lost(opened, reason) {
  clear();
  if (reason.startsWith("silent agents are off")) return leave(said.off);
  tell(said.again_soon);
  if (reason === "you are signed in no longer" || (!opened && (await isSignedOut()))) return location.assign("/sign-in?next=/desk");
  setTimeout(() => agent && document.visibilityState === "visible" && connect(), 1000);
}

async function isSignedOut() {
  const { status } = await fetch("/desk").catch(() => ({ status: 0 })); // the engine is not there: it will be again
  return status === 401 || status === 403;
}

function leave(why) {
  agent = null;
  const line = socket;
  socket = null;
  line?.close();
  clear();
  show({ begin: true });
  tell(why);
  find("begin").querySelector("button").focus();
}

const TAKE = {
  beat: () => send({ event: "present" }),
  signed_in: ({ name }) => {
    show({ waiting: true });
    tell(said.ready.replace("{name}", name));
  },
  day: ({ answered, late, median }) => {
    find("answered").textContent = answered;
    find("late").textContent = late;
    find("median").textContent = median === null ? "–" : said.seconds.replace("{number}", median.toFixed(1));
  },
  offer: (offered) => open(offered),
  taken_back: ({ task: id, why }) => {
    if (task?.task !== id || (task.answered && why === "answered")) return; // our own answer: the receipt tells
    clear();
    tell(said[`why_${why}`] ?? said.why_colleague);
  },
  receipt: ({ task: id, receipt }) => {
    tell(said[`receipt_${receipt}`]);
    if (task?.task === id) clear();
  },
  elsewhere: () => leave(said.elsewhere),
};

function take(message) {
  TAKE[message.event]?.(message);
}

// ---- a task

function open(offered) {
  clear();
  const now = performance.now();
  task = { ...offered, until: now + offered.left * 1000, shownAt: now, answered: false };
  find("asked").textContent = task.question ? said.asked.replace("{question}", task.question) : said.not_asked;
  find("words").textContent = task.words ? `“${task.words}”` : said.no_words;
  for (const id of ["words", "turns", "choices"]) find(id).lang = task.language; // for who has them read aloud
  find("turns").replaceChildren(...task.turns.map(turn));
  find("value-field").hidden = !task.value;
  find("value-kind").textContent = said[`kind_${task.value}`] ?? said.kind_other;
  list();
  show({ task: true });
  (task.value ? find("value") : find("filter")).focus();
  tell(said.phrase);
  tick();
  const { task: id } = task;
  requestAnimationFrame(() => requestAnimationFrame(() => send({ event: "shown", task: id }))); // the second: the first was drawn
}

function turn({ who, text }) {
  const row = document.createElement("li");
  row.append(element("span", "who", said[`who_${who}`] ?? who), text);
  return row;
}

function clear() {
  playing?.stop();
  task = phrase = playing = null;
  for (const field of [find("filter"), find("value")]) field.value = "";
  find("value").removeAttribute("aria-invalid");
  find("task").classList.remove("sent");
  if (agent) show({ waiting: true });
}

function tick() {
  if (!task) return;
  const left = Math.max(0, (task.until - performance.now()) / 1000);
  find("left").setAttribute("stroke-dashoffset", 100 * (1 - Math.min(1, left / task.within)));
  if (find("seconds").textContent !== String(Math.ceil(left))) find("seconds").textContent = Math.ceil(left);
  find("ring").classList.toggle("soon", left < SOON);
  requestAnimationFrame(tick);
}

function matching() {
  const wanted = find("filter").value.trim().toLocaleLowerCase();
  const starts = (title) => title.startsWith(wanted) || title.includes(` ${wanted}`);
  return task.choices.filter(({ title }) => starts(title.toLocaleLowerCase()));
}

function list() {
  const found = matching();
  const rows = found.map((choice, place) => row(choice.title, place + 1, choice.confidence, () => answer("picked", choice.intent)));
  const words = find("filter").value.trim();
  if (!found.length) rows.push(row(said.their_words.replace("{words}", words), "↵", null, () => answer("typed", words)));
  rows[0].className = words ? "first" : "";
  find("choices").replaceChildren(...rows);
  find("choices").scrollTop = 0;
}

function row(title, key, confidence, take) {
  const button = element("button", "choice");
  button.type = "button";
  if (key <= 9) button.setAttribute("aria-keyshortcuts", key);
  button.append(key <= 9 || key === "↵" ? element("kbd", "", key) : element("span"), element("span", "title", title));
  if (confidence !== null) button.append(element("span", "sure", said.sure.replace("{share}", Math.round(confidence * 100))));
  button.onclick = take;
  const item = document.createElement("li");
  item.append(button);
  return item;
}

function element(name, style = "", text = "") {
  const made = document.createElement(name);
  made.className = style;
  made.textContent = text;
  return made;
}

function answer(kind, text = "") {
  if (!task || task.answered) return;
  task.answered = true;
  find("task").classList.add("sent");
  send({ event: "answer", task: task.task, kind, text });
}

function answerValue() {
  const text = find("value").value.trim();
  const { fits = /./, normal = (it) => it } = KINDS[task.value] ?? {};
  if (fits.test(text)) return answer("value", normal(text));
  find("value").setAttribute("aria-invalid", "true");
  return tell(said.expected.replace("{what}", find("value-kind").textContent.toLocaleLowerCase()));
}

function cents(amount) {
  return amount.replace(/^\d+(?!\.|\d)/, "$&.00");
}

// ---- its sound

function hear(pcm) {
  if (!task) return;
  const samples = new DataView(pcm);
  phrase = sound.createBuffer(1, Math.max(1, pcm.byteLength >> 1), RATE_HZ);
  const into = phrase.getChannelData(0);
  for (let at = 0; at < pcm.byteLength >> 1; at += 1) into[at] = samples.getInt16(2 * at, true) / 32768;
  play();
}

function play() {
  playing?.stop();
  if (!phrase) return;
  playing = new AudioBufferSourceNode(sound, { buffer: phrase, playbackRate: speed });
  playing.connect(sound.destination);
  playing.start();
}

function hurry(by) {
  speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, SPEEDS.indexOf(speed) + by))];
  find("speed").textContent = said.speed.replace("{speed}", speed);
  play();
}

// ---- keys

const KEYS = {
  " ": play,
  ",": () => hurry(-1),
  ".": () => hurry(1),
  0: () => answer("cant_tell"),
};

function press(event) {
  if (!task || event.metaKey || event.ctrlKey || event.altKey) return;
  const { key, target } = event;
  const early = performance.now() - task.shownAt < SETTLE_MS;
  if (early && (/^[0-9]$/.test(key) || key === "Enter" || key === "Escape")) return event.preventDefault();
  if (key === "Escape") return escape(target, event);
  if (target.tagName === "BUTTON" && (key === "Enter" || key === " ")) return;
  if (key === "Enter") return enter(target, event);
  if (target.value) return;
  const number = /^[1-9]$/.test(key) && find("choices").children[key - 1]?.firstChild;
  const act = number ? () => number.click() : KEYS[key];
  if (!act || (target === find("value") && /\d/.test(key))) return;
  event.preventDefault();
  if (!event.repeat) act();
}

function escape(target, event) {
  event.preventDefault();
  if (!target.value) return answer("cant_tell");
  target.value = "";
  list();
}

function enter(target, event) {
  event.preventDefault();
  if (target === find("value")) return answerValue();
  const words = find("filter").value.trim();
  if (!words) return;
  if (event.shiftKey) answer("typed", words);
  else find("choices").querySelector("button").click();
}

// ---- the page

function show({ begin = false, waiting = false, task: working = false }) {
  find("begin").hidden = !begin;
  find("waiting").hidden = !waiting;
  find("task").hidden = !working;
  find("before").hidden = !(working && task.turns.length);
  for (const id of ["keys", "day", "leave"]) find(id).hidden = begin;
  document.title = working ? `● ${TITLE}` : TITLE;
}

function tell(text) {
  find("status").textContent = text;
}

find("begin").onsubmit = (event) => {
  event.preventDefault();
  const languages = [...find("languages").querySelectorAll(":checked")].map((box) => box.value);
  if (!languages.length) return tell(said.tick);
  agent = { languages };
  sound ??= new AudioContext({ latencyHint: "interactive" });
  sound.resume();
  tell(said.connecting);
  connect();
};
find("leave").onclick = () => leave(said.stopped);
find("again").onclick = play;
find("speed").onclick = () => hurry(speed === SPEEDS.at(-1) ? 1 - SPEEDS.length : 1);
find("cant-tell").onclick = () => answer("cant_tell");
find("filter").oninput = () => task && list();
find("value").oninput = () => find("value").removeAttribute("aria-invalid");
document.addEventListener("keydown", press);
document.addEventListener("visibilitychange", () => {
  if (!agent) return;
  if (document.visibilityState === "hidden") {
    const line = socket;
    socket = null; // a page that nobody looks at gets no phrase
    line?.close();
    clear();
    tell(said.away);
  } else connect();
});

hurry(0);
