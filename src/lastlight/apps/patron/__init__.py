"""The guest's app: one neutral page that the browser keeps, and a client that works without a network."""
