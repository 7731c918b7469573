def greeting():
    """Come from a layer."""
    return "hello from the layer"
