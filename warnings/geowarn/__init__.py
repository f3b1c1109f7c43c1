"""From a rainfall forecast to a signed, delivered and provable geological-hazard warning."""

__version__ = "0.1.0"
