"""One world: the store, the twin and the handlers in one process, on one event loop whose time is virtual."""
