"""Workbooks that tests write: .xlsx and .ods, which are zip archives of XML."""

import io
import zipfile
from datetime import date
from xml.sax.saxutils import escape

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
RELATIONS = "http://schemas.openxmlformats.org/package/2006/relationships"
OASIS = "urn:oasis:names:tc:opendocument:xmlns:"
EXCEL = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/'
    'content-types"><Default Extension="xml" ContentType="application/xml"/></Types>',
    "_rels/.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship Id="a" Type="'
    f'{OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{OFFICE}"><sheets><sheet '
    'name="S" sheetId="1" r:id="a"/></sheets></workbook>',
    "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{RELATIONS}"><Relationship '
    f'Id="a" Type="{OFFICE}/worksheet" Target="worksheets/sheet1.xml"/><Relationship '
    f'Id="b" Type="{OFFICE}/styles" Target="styles.xml"/></Relationships>',
    "xl/styles.xml": f'<styleSheet xmlns="{MAIN}"><cellXfs count="2"><xf numFmtId="0"/>'
    '<xf numFmtId="14"/></cellXfs></styleSheet>',
}


def archive(members: dict[str, str]) -> bytes:
    """A zip archive of the members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, text in members.items():
            packed.writestr(name, text)
    return file.getvalue()


def xlsx(rows: dict[int, list]) -> bytes:
    """An Excel workbook: the number of a row, from 1 -> its cells, None where blank."""
    body = "".join(
        f'<row r="{number}">'
        + "".join(
            excel_cell(f"{chr(65 + i)}{number}", value)
            for i, value in enumerate(cells)
            if value is not None
        )
        + "</row>"
        for number, cells in rows.items()
    )
    return xlsx_of(body)


def xlsx_of(body: str) -> bytes:
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData>{body}</sheetData></worksheet>'
    return archive(EXCEL | {"xl/worksheets/sheet1.xml": sheet})


def excel_cell(at: str, value) -> str:
    if isinstance(value, date):
        days = (value - date(1899, 12, 30)).days
        return f'<c r="{at}" s="1"><v>{days}</v></c>'
    if isinstance(value, str):
        return f'<c r="{at}" t="inlineStr"><is><t>{escape(value)}</t></is></c>'
    return f'<c r="{at}"><v>{value!r}</v></c>'


def ods(rows: list[list], after: str = "") -> bytes:
    """An OpenDocument workbook of the rows; `after` is XML of more of them."""
    body = "".join(
        f"<table:table-row>{''.join(map(ods_cell, row))}</table:table-row>"
        for row in rows
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    return archive(
        {
            "mimetype": kind,
            "META-INF/manifest.xml": f'<m:manifest xmlns:m="{OASIS}manifest:1.0">'
            f'<m:file-entry m:full-path="/" m:media-type="{kind}"/></m:manifest>',
            "content.xml": f'<office:document-content xmlns:office="{OASIS}office:1.0" '
            f'xmlns:table="{OASIS}table:1.0" xmlns:text="{OASIS}text:1.0"><office:body>'
            f'<office:spreadsheet><table:table table:name="S">{body}{after}'
            "</table:table></office:spreadsheet></office:body></office:document-content>",
        }
    )


def ods_cell(value) -> str:
    kind, attribute = "float", f'office:value="{value}"'
    if isinstance(value, str):
        kind, attribute = "string", ""
    if isinstance(value, date):
        kind, attribute = "date", f'office:date-value="{value}"'
    return (
        f'<table:table-cell office:value-type="{kind}" {attribute}>'
        f"<text:p>{escape(str(value))}</text:p></table:table-cell>"
    )
