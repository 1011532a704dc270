"""Documents of a count: minutes, reports, notices; as DOCX to be edited, as PDF, as a web page."""
