"""The commands' options, one file a command: read them, call the room that does the work, say what came out."""
