"""Story: all that is known of one order, hold or agreement, in the order of time and in sentences. Reads
only, owns nothing."""
