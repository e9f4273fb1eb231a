"""Reading TwiML."""

from xml.etree import ElementTree

MAX_DOCUMENT = 64_000


def parse_document(text: str) -> ElementTree.Element:
    """Return the `<Response>` of a TwiML document. Raises ElementTree.ParseError for anything else.

    Documents come from the product under test; a document type, the way to entity bombs, is refused.
    """
    if len(text) > MAX_DOCUMENT or "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise ElementTree.ParseError("not a TwiML document")
    root = ElementTree.fromstring(text)  # noqa: S314 - entities are refused above
    if root.tag != "Response":
        raise ElementTree.ParseError("the root of TwiML is Response")
    return root
