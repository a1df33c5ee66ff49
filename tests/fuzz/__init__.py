"""Random objects, read by the consumer's parser and by the proof's reader: `make fuzz`."""
