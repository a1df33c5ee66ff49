"""What a new version of moto could break: its state, its application, and the definition of a replacement.

The replacements themselves are with their service: `moto_queue`, `moto_bucket`, `moto_table`, and the `answers`.
"""
