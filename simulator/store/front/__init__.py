"""The front: the server process and the order of the layers that a request passes."""
