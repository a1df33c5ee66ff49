"""moto's own tests, run against stock moto and against the store: `make moto-suite`."""
