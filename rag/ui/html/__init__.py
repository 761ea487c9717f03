"""What the page shows, as inert HTML."""
