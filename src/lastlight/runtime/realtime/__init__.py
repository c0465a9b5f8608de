"""Sockets: Socket.IO rooms of venue × permission, fed by the relay's events, closed when a session ends."""
