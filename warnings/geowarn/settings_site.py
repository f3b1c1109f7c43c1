"""What the public pages say beside the warnings: press, archive, tags and catalogue as government sites need them."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from geowarn.domain.voice_limits import SayLimits


class Section(BaseModel):
    """A table of the settings; unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Press(Section):
    """Whom newsrooms ask; what is empty is not shown."""

    name_zh: str = ""
    name_en: str = ""
    phone: Annotated[str, Field(pattern=r"^[0-9 +()-]*$")] = ""
    email: Annotated[str, Field(pattern=r"^([^\s@<>\"&]+@[^\s@<>\"&]+)?$")] = ""


class Archive(Section):
    """On what terms the archive may be used; empty: files and pages say that it is not stated yet."""

    licence_zh: str = ""
    licence_en: str = ""
    licence_url: Annotated[str, Field(pattern=r"^(https?://[^\s<>\"]+)?$")] = ""


class Say(Section):
    """The public form, and how much it takes an hour."""

    open: bool = True  # whether pages lead to the form, which the program answers
    per_address_hour: Annotated[int, Field(ge=1, le=10_000)] = 12
    per_address_hour_in_force: Annotated[int, Field(ge=1, le=100_000)] = 120
    busy_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 600
    most_hour: Annotated[int, Field(ge=1, le=1_000_000)] = 6000
    photos_hour: Annotated[int, Field(ge=0, le=100_000)] = 300
    standing_most: Annotated[int, Field(ge=10, le=10_000_000)] = 50_000
    photos_total_megabytes: Annotated[int, Field(ge=0, le=1_000_000)] = 2000
    photo_megabytes: Annotated[int, Field(ge=1, le=7)] = 7  # what carries the form bounds it at 8
    photo_megapixels: Annotated[int, Field(ge=1, le=120)] = 60
    form_hours: Annotated[int, Field(ge=1, le=168)] = 24

    @property
    def limits(self) -> SayLimits:
        """What the form takes, as the rules count it."""
        return SayLimits(
            self.per_address_hour, self.per_address_hour_in_force, self.busy_hour, self.most_hour, self.photos_hour,
            self.standing_most, self.photos_total_megabytes * 1_000_000,
        )  # fmt: skip


_TAG = r"^[A-Za-z][A-Za-z0-9._:-]{0,63}$"
_IN_HEAD = "name|domain|event|issuer|joint|column|title|description|published|number|keywords|url|image"
_IN_CATALOGUE = "slug|number|issuer|joint|date|validity|level|areas"
TagName = Annotated[str, Field(pattern=_TAG)]
HeadText = Annotated[str, Field(pattern=rf"^([^{{}}]|\{{({_IN_HEAD})\}})*$")]
CatalogueText = Annotated[str, Field(pattern=rf"^([^{{}}]|\{{({_IN_CATALOGUE})\}})*$")]


class Meta(Section):
    """The `meta` tags of pages, by name: of every page, of columns, of articles; an empty one is left out."""

    every: dict[TagName, HeadText]
    column: dict[TagName, HeadText]
    article: dict[TagName, HeadText]


class CatalogueField(Section):
    """One field of the disclosure catalogue; left out in a language where its value is empty."""

    name_zh: Annotated[str, Field(min_length=1)]
    name_en: Annotated[str, Field(min_length=1)]
    value_zh: CatalogueText
    value_en: CatalogueText


class Catalogue(Section):
    """What the disclosure catalogue says of a bulletin, in this order."""

    fields: tuple[CatalogueField, ...]
