"""An application whose handlers come in pairs: one survives a fault, the other has the flaw that it brings out."""
