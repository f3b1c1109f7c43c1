"""What the tables share: the catalogue they are in, names for constraints, kinds of columns."""

from __future__ import annotations

from sqlalchemy import BigInteger, ForeignKey, Integer, MetaData, String

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for a column that is exactly INTEGER.
ROW_NUMBER = BigInteger().with_variant(Integer, "sqlite")
DIGEST = String(64)


def later(target: str) -> ForeignKey:
    """A reference checked at commit, so that rows of one transaction may come in any order."""
    return ForeignKey(target, deferrable=True, initially="DEFERRED")
