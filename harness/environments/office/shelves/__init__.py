"""What stands on the shelves of an office: files, documents, spreadsheets."""
