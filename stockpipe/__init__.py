"""The command line's commands and the deployment. Light: importing it imports nothing else."""
