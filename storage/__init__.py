"""Finished images: where they are kept, under which keys, and the links that let a client fetch them."""
