"""The faults that AWS really has, as data, and the plane that decides which of them strikes where."""
