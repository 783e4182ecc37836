"""What each file tool of a workspace does: reading, searching, writing, editing, patching."""
