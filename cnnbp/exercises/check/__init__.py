"""What is done with a learner's function: call it, judge it, recognize its mistake, say so."""
