"""One file for each kind of object: its states, its shape on the wire, its operations."""
