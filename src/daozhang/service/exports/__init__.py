"""Exports: lists of orders as files, written beside everything else, kept for some days in the database,
so that every process can hand them out."""
