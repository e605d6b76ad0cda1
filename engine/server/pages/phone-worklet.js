// Runs on the audio thread: the microphone down to the telephone's 8 kHz, the engine's 8 kHz up to the loudspeaker's rate.

const LINE_HZ = 8000;
const FRAME = 160; // 20 ms
const REACH = 12; // filter taps on each side, in samples of the line

class Capture extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / LINE_HZ; // the device's samples for one of the line's
    this.half = Math.ceil(REACH * this.step);
    this.recent = new Float32Array(0);
    this.next = this.half; // where in `recent` the next sample of the line lies
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
  }

  // A windowed sinc below the line's Nyquist frequency: without it, hiss above 4 kHz would fold into the voice.
  sample(centre) {
    let sum = 0;
    let weight = 0;
    const whole = Math.floor(centre);
    for (let n = whole - this.half + 1; n <= whole + this.half; n++) {
      const x = (n - centre) / this.step;
      const sinc = x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
      const tap = sinc * (0.5 + 0.5 * Math.cos((Math.PI * x) / REACH));
      sum += tap * this.recent[n];
      weight += tap;
    }
    return sum / weight;
  }

  process([input]) {
    const block = input[0];
    if (!block) return true;
    const joined = new Float32Array(this.recent.length + block.length);
    joined.set(this.recent);
    joined.set(block, this.recent.length);
    this.recent = joined;
    while (this.next + this.half + 1 < this.recent.length) {
      this.put(this.sample(this.next));
      this.next += this.step;
    }
    const used = Math.max(0, Math.floor(this.next) - this.half);
    this.recent = this.recent.slice(used);
    this.next -= used;
    return true;
  }

  put(value) {
    this.frame[this.filled++] = Math.max(-1, Math.min(1, value)) * 32767;
    if (this.filled < FRAME) return;
    let energy = 0;
    for (const sample of this.frame) energy += (sample / 32768) ** 2;
    this.port.postMessage({ pcm: this.frame.buffer, level: Math.min(1, 4 * Math.sqrt(energy / FRAME)) });
    this.frame = new Int16Array(FRAME);
    this.filled = 0;
  }
}

class Player extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = LINE_HZ / sampleRate;
    this.waiting = [];
    this.place = 0; // in the first waiting piece, in samples of the line
    this.port.onmessage = ({ data }) => {
      if (data === "flush") {
        this.waiting = [];
        this.place = 0;
      } else this.waiting.push(new Int16Array(data));
    };
  }

  at(index) {
    const piece = this.waiting[0];
    if (index < piece.length) return piece[index];
    return this.waiting[1]?.[index - piece.length] ?? piece[piece.length - 1];
  }

  process(_, [output]) {
    const out = output[0];
    for (let n = 0; n < out.length && this.waiting.length; n++) {
      const whole = Math.floor(this.place);
      const part = this.place - whole;
      out[n] = ((1 - part) * this.at(whole) + part * this.at(whole + 1)) / 32768;
      this.place += this.step;
      while (this.waiting.length && this.place >= this.waiting[0].length) {
        this.place -= this.waiting[0].length;
        this.waiting.shift();
        if (!this.waiting.length) this.place = 0;
      }
    }
    return true;
  }
}

registerProcessor("capture", Capture);
registerProcessor("player", Player);
