"""What the page shows, as inert HTML: each module says what is told, its template lays it out."""
