"""Journey maps on the staff pages: the matrix to work on, the metro map to look at."""

from analytics.admin.maps import site  # noqa: F401 - registers the models
