"""Doors: signing in and out, the way in for those who were invited, and what is one's own: factors,
devices. All of it by the actions of `daozhang.service.people`."""
