// One call: its waveform, and everything with data-at jumps to that second and plays.

const sound = document.getElementById("sound");
const wave = document.getElementById("wave");
const LEAD_IN = 0.2; // seconds heard before a place, so that its first word is whole
const STEP = 5; // seconds an arrow key moves

let shape = { seconds: 0, channels: [] };
let asked = null; // where to play from; the sound is fetched, and the playback kept, when somebody plays

const turns = [...document.querySelectorAll(".turn")].map((element) => ({
  element,
  from: Number(element.dataset.from),
  to: Number(element.dataset.to),
  words: [...element.querySelectorAll(".w")].map((word) => ({ element: word, at: Number(word.dataset.at) })),
}));

function length() {
  return Number.isFinite(sound.duration) ? sound.duration : shape.seconds;
}

function position() {
  return asked ?? sound.currentTime;
}

function seek(at) {
  const to = Math.max(0, Math.min(at, length() || at));
  if (sound.readyState > 0) {
    sound.currentTime = to;
    return;
  }
  asked = to;
  follow();
}

function colour(name) {
  wave.style.color = `var(${name})`; // resolved: light or dark, which a canvas does not know
  return getComputedStyle(wave).color;
}

function clock(at) {
  return `${Math.floor(at / 60)}:${String(Math.floor(at % 60)).padStart(2, "0")}`;
}

function draw() {
  const scale = window.devicePixelRatio || 1;
  const width = wave.clientWidth;
  const height = wave.clientHeight;
  wave.width = width * scale;
  wave.height = height * scale;
  const paper = wave.getContext("2d");
  paper.scale(scale, scale);
  drawTurns(paper, width, height);
  drawShape(paper, width, height);
  drawHead(paper, width, height);
}

function drawTurns(paper, width, height) {
  const each = width / (length() || 1);
  for (const turn of turns) {
    const agents = turn.element.classList.contains("of-agent");
    paper.fillStyle = colour(agents ? "--agent-turn" : "--caller-turn");
    paper.fillRect(turn.from * each, agents ? height / 2 : 0, Math.max(1, (turn.to - turn.from) * each), height / 2);
  }
}

function drawShape(paper, width, height) {
  const rows = shape.channels.length;
  shape.channels.forEach((peaks, row) => {
    const tall = height / rows;
    const middle = tall * (row + 0.5);
    paper.fillStyle = colour(rows > 1 && row === 1 ? "--agent" : "--caller");
    peaks.forEach((peak, place) => {
      const high = Math.max(0.5, (peak / 100) * (tall / 2 - 2));
      paper.fillRect((place * width) / peaks.length, middle - high, Math.max(0.6, width / peaks.length - 0.3), 2 * high);
    });
  });
}

function drawHead(paper, width, height) {
  paper.fillStyle = colour("--ink");
  paper.fillRect((position() / (length() || 1)) * width - 1, 0, 2, height);
}

function follow() {
  const now = position();
  for (const turn of turns) {
    const here = turn.from <= now && now < turn.to;
    turn.element.classList.toggle("now", here);
    const spoken = here ? turn.words.findLast((word) => word.at <= now) : undefined;
    for (const word of turn.words) word.element.classList.toggle("now", word === spoken);
  }
  wave.setAttribute("aria-valuenow", String(Math.round(now)));
  wave.setAttribute("aria-valuemax", String(Math.round(length())));
  wave.setAttribute("aria-valuetext", clock(now));
  draw();
}

function fromAddress() {
  const found = /^#t=(\d+(?:\.\d+)?)$/.exec(location.hash);
  if (found) seek(Number(found[1]));
}

document.addEventListener("click", (event) => {
  const place = event.target.closest("[data-at]");
  if (!place) return;
  seek(Number(place.dataset.at) - LEAD_IN);
  sound.play().catch(() => {}); // the browser's own controls say what is wrong
});

wave.addEventListener("click", (event) => {
  seek((event.offsetX / wave.clientWidth) * length());
  sound.play().catch(() => {});
});

wave.addEventListener("keydown", (event) => {
  const moves = { ArrowLeft: -STEP, ArrowRight: STEP, Home: -Infinity, End: Infinity };
  if (event.key in moves) seek(position() + moves[event.key]);
  else if (event.key === " ") sound.paused ? sound.play().catch(() => {}) : sound.pause();
  else return;
  event.preventDefault();
});

sound.addEventListener("loadedmetadata", () => {
  if (asked !== null) sound.currentTime = asked;
  asked = null;
  follow();
});
for (const name of ["timeupdate", "seeked", "play", "pause"]) sound.addEventListener(name, follow);
window.addEventListener("resize", draw);
window.addEventListener("hashchange", fromAddress);
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);

const answer = await fetch(wave.dataset.waveform);
if (answer.ok) shape = await answer.json();
fromAddress();
follow();
