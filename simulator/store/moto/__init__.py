"""What a new version of moto could break: its state, its application, and what a replacement of its code is.

The replacements themselves are with their service: `moto_queue`, `moto_bucket`, `moto_table`, and the `answers`.
"""
