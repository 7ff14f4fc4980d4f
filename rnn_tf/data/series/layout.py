"""What a person may say of a file: its columns, and how its cells are written."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Layout:
    """How a file holds a daily series. What is None shows in the file, or is refused.

    Each field is the option of that name, such as --date-column.
    """

    date_column: str = "date"
    value_column: str = "value"
    series_column: str | None = None  # of a long file: what names each row's series
    series: str | None = None  # the one to take
    separator: str | None = None  # one character, or its name in `table.NAMED`
    encoding: str | None = None  # as Python names it: utf-16-le, cp1250
    decimal: str | None = None  # the mark of numbers: point or comma
    date_format: str | None = None  # as strptime takes it: %d.%m.%y
    calendar: str = "daily"  # or business: Monday to Friday
    fill: str | None = None  # seasonal, last, linear, or none: an error

    @property
    def filling(self) -> str:
        """How missing days are filled: holidays of trading days, by the day before."""
        return self.fill or ("last" if self.calendar == "business" else "none")

    @property
    def columns(self) -> list[tuple[str, str]]:
        """The columns that a file must have, each with what it is for."""
        names = {"date": self.date_column, "value": self.value_column}
        if self.series_column is not None:
            names["series"] = self.series_column
        return list(names.items())
