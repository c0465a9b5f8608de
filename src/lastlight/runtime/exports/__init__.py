"""Exports: a declared list as a file, made by a job from one snapshot, with the asker's rights as they are then."""
