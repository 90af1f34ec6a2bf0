"""What would become of an estate that loses a part of itself, or that gets more hosts or servers."""
