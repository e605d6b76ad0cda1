// A telephone in the page: microphone and keypad over one WebSocket, no address outside this server.
// Binary messages are 16-bit little-endian PCM, 8 kHz, mono, both ways; text messages are JSON.

const KEYS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];
const find = (id) => document.getElementById(id);
const said = JSON.parse(find("said").textContent); // in the visitor's language

let line = null; // the call in progress: { socket, audio, microphone, player, ending }

async function dial() {
  find("call").disabled = true;
  find("steps").replaceChildren();
  find("empty").hidden = true;
  tell(said.asking);
  try {
    const microphone = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, channelCount: 1 } });
    const audio = new AudioContext({ latencyHint: "interactive" });
    await audio.audioWorklet.addModule("/static/phone-worklet.js");
    connect(microphone, audio);
  } catch (error) {
    tell(said.no_microphone.replace("{why}", error.message));
    find("call").disabled = false;
  }
}

function connect(microphone, audio) {
  const asked = new URLSearchParams({ language: find("language").value });
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/phone/ws?${asked}`);
  socket.binaryType = "arraybuffer";
  const player = new AudioWorkletNode(audio, "player", { numberOfInputs: 0, outputChannelCount: [1] });
  player.connect(audio.destination);
  const capture = new AudioWorkletNode(audio, "capture", { numberOfOutputs: 0 });
  audio.createMediaStreamSource(microphone).connect(capture);
  capture.port.onmessage = ({ data }) => {
    find("level").value = data.level;
    if (socket.readyState === WebSocket.OPEN) socket.send(data.pcm);
  };
  line = { socket, audio, microphone, player, ending: said.unanswered };
  tell(said.calling);
  socket.onopen = () => {
    line.ending = said.ended;
    tell(said.connected);
    talking(true);
  };
  socket.onmessage = ({ data }) => (data instanceof ArrayBuffer ? player.port.postMessage(data, [data]) : take(JSON.parse(data)));
  socket.onclose = () => line?.socket === socket && close(line.ending);
}

function close(why) {
  if (!line) return;
  const { socket, audio, microphone } = line;
  line = null;
  socket.close();
  audio.close();
  for (const track of microphone.getTracks()) track.stop();
  find("call").disabled = false;
  find("level").value = 0;
  talking(false);
  tell(why);
}

function talking(on) {
  for (const button of [find("hangup"), ...find("keypad").children]) button.disabled = !on;
  find("language").disabled = on;
}

function take(message) {
  if (message.event === "clear") line?.player.port.postMessage("flush");
  else if (message.event === "step") show(message);
  else if (message.event === "transfer" && line) line.ending = said.transferred.replace("{destination}", message.destination);
}

function show({ at, who, text, note }) {
  const row = element("li", who);
  const what = element("div", "what");
  if (text) what.append(element("div", "text", text));
  if (note) what.append(element("div", "note", note));
  row.append(element("time", "at", said.seconds.replace("{at}", at.toFixed(2))), element("span", "who", said[who] ?? who), what);
  find("steps").append(row);
  find("steps").scrollTop = find("steps").scrollHeight;
}

function element(name, style, text = "") {
  const made = document.createElement(name);
  made.className = style;
  made.textContent = text;
  return made;
}

function press(key) {
  if (line?.socket.readyState === WebSocket.OPEN) line.socket.send(JSON.stringify({ key }));
}

function tell(text) {
  find("status").textContent = text;
}

for (const key of KEYS) {
  const button = element("button", "key", key);
  button.type = "button";
  button.disabled = true;
  button.onclick = () => press(key);
  find("keypad").append(button);
}

document.addEventListener("keydown", (event) => {
  if (!KEYS.includes(event.key) || event.repeat || event.metaKey || event.ctrlKey || event.altKey) return;
  press(event.key);
  const button = find("keypad").children[KEYS.indexOf(event.key)];
  button.classList.add("pressed");
  setTimeout(() => button.classList.remove("pressed"), 150);
});
find("call").onclick = dial;
find("hangup").onclick = () => close(said.hung_up);
