"""A COMBINE archive (OMEX): files with what they are, in one zip file; the same files give the same bytes."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from xml.sax.saxutils import escape, quoteattr
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

SBML = "http://identifiers.org/combine.specifications/sbml.level-3.version-2"
SEDML = "http://identifiers.org/combine.specifications/sed-ml.level-1.version-3"
METADATA = "http://identifiers.org/combine.specifications/omex-metadata"
YAML = "http://purl.org/NET/mediatypes/application/yaml"
_OMEX = "http://identifiers.org/combine.specifications/omex"
_MANIFEST = "http://identifiers.org/combine.specifications/omex-manifest"
_EPOCH = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Entry:
    """A file of an archive; the `master` one is what a tool opens first."""

    name: str
    form: str
    text: str
    master: bool = False


def write_omex(entries: Sequence[Entry], title: str, about: Mapping[str, str]) -> bytes:
    """The archive with its manifest and, as RDF, its title and what `about` says (Dublin Core term -> text)."""
    described = Entry("metadata.rdf", METADATA, _metadata(title, about))
    files = [*entries, described]
    buffer = io.BytesIO()
    with ZipFile(buffer, "w", ZIP_DEFLATED) as archive:
        for name, text in [("manifest.xml", _manifest(files)), *((one.name, one.text) for one in files)]:
            info = ZipInfo(name, _EPOCH)
            info.compress_type = ZIP_DEFLATED
            archive.writestr(info, text)
    return buffer.getvalue()


def _manifest(files: Sequence[Entry]) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<omexManifest xmlns="{_MANIFEST}">',
        f'  <content location="." format="{_OMEX}"/>',
        f'  <content location="./manifest.xml" format="{_MANIFEST}"/>',
        *(
            f'  <content location={quoteattr(f"./{one.name}")} format="{one.form}"'
            f"{' master=' + quoteattr('true') if one.master else ''}/>"
            for one in files
        ),
        "</omexManifest>",
    ]
    return "\n".join(lines) + "\n"


def _metadata(title: str, about: Mapping[str, str]) -> str:
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcterms="http://purl.org/dc/terms/">',
        '  <rdf:Description rdf:about=".">',
        f"    <dcterms:title>{escape(title)}</dcterms:title>",
        *(f"    <dcterms:{term}>{escape(text)}</dcterms:{term}>" for term, text in about.items()),
        "  </rdf:Description>",
        "</rdf:RDF>",
    ]
    return "\n".join(lines) + "\n"
