"""Documents: a user's file read without loss."""
