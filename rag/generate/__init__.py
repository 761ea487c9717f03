"""What the generator is asked, and its drafts."""
