"""The partner API as a whole: the endpoints of all layers under one address, and their description."""
