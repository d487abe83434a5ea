"""Keys that are not in use yet: drafts of new Apps, and changes of the keys of those there are.

Owns both tables. What is taken into use goes into the table of `merchants`; whoever signs or verifies
asks there and never here.
"""
