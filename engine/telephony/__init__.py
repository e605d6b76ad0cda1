"""The doors: how sound and keys come in and go out. Each is one file behind the one ``Leg`` contract."""
