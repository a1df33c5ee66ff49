"""What runs on Lambda, and the SAM template that describes it. Imports nothing of the rest."""
