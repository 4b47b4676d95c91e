"""Phrases of SQL that stores are told in: whether columns name the subject, and columns without what does."""

from customers.privacy.patterns import mentions


def named_in(*columns: str, namespace: str) -> str:
    """Whether one of these columns names the subject, a short name where it is all that stands in it."""
    quoted = ", ".join(f"'\"', {one}, '\" '" for one in columns)
    return mentions(f"concat({quoted})", namespace)


def stem(column: str) -> str:
    """The name of a file without its ending, which would else belong to an address."""
    return f"regexp_replace({column}, '[.][A-Za-z0-9]+$', '')"


def unless_named(column: str, instead: str = "''", *, namespace: str) -> str:
    """The column, or `instead` where it names the subject, as a name of a file does too."""
    named = named_in(f"t.{column}", stem(f"t.{column}"), namespace=namespace)
    return f"CASE WHEN {named} THEN {instead} ELSE t.{column} END"


def namespace_of(profile: str) -> str:
    """That in which what is said of the profile was said; of several, which are rare, the first."""
    return (
        "(SELECT s.namespace FROM customers_profilesource f JOIN customers_source s ON s.id = f.source_id"
        f" WHERE f.profile_id = {profile} ORDER BY s.namespace LIMIT 1)"
    )
