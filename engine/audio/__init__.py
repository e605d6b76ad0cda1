"""Signal code on values: G.711, resampling, key tones, reading any sound file safely. Does no network I/O."""
