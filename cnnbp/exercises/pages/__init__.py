"""What a learner sees of an exercise: its statement, hints, verdict, sheet and progress."""
