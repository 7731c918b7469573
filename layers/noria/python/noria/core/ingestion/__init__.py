"""CollectSources: the bytes of a source become columns of text, whatever the file format."""
