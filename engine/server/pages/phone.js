// A telephone in the page: microphone and keypad over one WebSocket, no address outside this server.
// Binary messages are 16-bit little-endian PCM, 8 kHz, mono, both ways; text messages are JSON.

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const NAMES = { en: "English", ru: "Русский", zh: "中文" };
const find = (id) => document.getElementById(id);

let line = null; // the call in progress: { socket, audio, player, microphone }

async function dial() {
  find("call").disabled = true;
  find("steps").replaceChildren();
  tell("Asking for the microphone…");
  try {
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, channelCount: 1 } });
    const audio = new AudioContext({ latencyHint: "interactive" });
    await audio.audioWorklet.addModule("/static/phone-worklet.js");
    connect(microphone, audio);
  } catch (error) {
    tell(`No microphone: ${error.message}`);
    find("call").disabled = false;
  }
}

function connect(microphone, audio) {
  const language = find("language").value;
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/phone/ws?language=${encodeURIComponent(language)}`);
  socket.binaryType = "arraybuffer";
  const player = new AudioWorkletNode(audio, "player", { numberOfInputs: 0, outputChannelCount: [1] });
  player.connect(audio.destination);
  const capture = new AudioWorkletNode(audio, "capture", { numberOfOutputs: 0 });
  audio.createMediaStreamSource(microphone).connect(capture);
  capture.port.onmessage = ({ data }) => {
    find("level").value = data.level;
    if (socket.readyState === WebSocket.OPEN) socket.send(data.pcm);
  };
  line = { socket, audio, player, microphone };
  socket.onopen = () => {
    tell("Connected: speak, or press keys.");
    find("hangup").disabled = false;
  };
  socket.onmessage = ({ data }) => (data instanceof ArrayBuffer ? player.port.postMessage(data, [data]) : take(JSON.parse(data)));
  socket.onclose = () => close("The call has ended.");
}

function close(why) {
  if (!line) return;
  const { socket, audio, microphone } = line;
  line = null;
  socket.close();
  audio.close();
  for (const track of microphone.getTracks()) track.stop();
  find("call").disabled = false;
  find("hangup").disabled = true;
  find("level").value = 0;
  tell(why);
}

function take(message) {
  if (message.event === "clear") line?.player.port.postMessage("flush");
  else if (message.event === "step") show(message);
  else if (message.event === "transfer") tell(`The engine would now transfer you to ${message.destination}.`);
}

function show({ at, who, text, note }) {
  const row = document.createElement("li");
  row.className = who;
  const when = document.createElement("time");
  when.textContent = `${at.toFixed(2)} s`;
  const what = document.createElement("div");
  for (const [name, content] of [["text", text], ["who", note]]) {
    if (!content) continue;
    const part = document.createElement("div");
    part.className = name;
    part.textContent = content;
    what.append(part);
  }
  row.append(when, what);
  find("steps").append(row);
  row.scrollIntoView({ block: "nearest" });
}

function press(key) {
  if (line?.socket.readyState === WebSocket.OPEN) line.socket.send(JSON.stringify({ key }));
}

function tell(text) {
  find("status").textContent = text;
}

for (const key of KEYS) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = key;
  button.onclick = () => press(key);
  find("keypad").append(button);
}
document.addEventListener("keydown", (event) => {
  if (KEYS.includes(event.key) && !event.metaKey && !event.ctrlKey) press(event.key);
});
find("call").onclick = dial;
find("hangup").onclick = () => close("You hung up.");

const { languages } = await (await fetch("/phone/languages")).json();
for (const language of languages) find("language").append(new Option(NAMES[language] ?? language, language));
