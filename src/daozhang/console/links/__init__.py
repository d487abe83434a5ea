"""Pay links: made, shown as a code to print, and what each brought in."""
