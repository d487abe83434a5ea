"""Story: all that is known of one order, in the order of time. Reads only, owns nothing."""
