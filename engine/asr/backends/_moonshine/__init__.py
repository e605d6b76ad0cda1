"""Our own decoder over the packaged Moonshine weights; ``moonshine.py`` beside this folder is its door."""
