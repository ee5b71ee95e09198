"""Pages for people: the documents that programs get, drawn by templates, with nothing from outside and no script."""
