"""One file for each exercise, named like it: the task, its solution, and its mistakes below."""
