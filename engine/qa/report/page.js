// Plays a call's sound from the place that was clicked; opens everything for paper. Asks nobody for anything.
let now = null;

function mark(button) {
  now?.classList.remove("playing");
  now = button;
  now?.classList.add("playing");
}

for (const button of document.querySelectorAll("button[data-sound]")) {
  button.addEventListener("click", () => {
    const sound = document.getElementById(button.dataset.sound);
    sound.currentTime = Number(button.dataset.from);
    sound.play().catch(() => mark(null));
    mark(button);
  });
}

for (const sound of document.querySelectorAll("audio")) {
  sound.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) if (other !== sound) other.pause();
  });
  sound.addEventListener("pause", () => now?.dataset.sound === sound.id && mark(null));
}

addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
