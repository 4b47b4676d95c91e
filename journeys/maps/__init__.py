"""Journey maps: what people edit on them, the steps that realise their touchpoints, and their drawing as a metro."""
