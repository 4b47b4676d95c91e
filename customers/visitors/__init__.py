"""Who visits a page, as far as it is proven: asked wherever a page is shown what concerns one person alone."""
