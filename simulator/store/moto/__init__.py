"""What stands in for moto's slow paths, one file a service; `registry` says what a replacement is."""
